// What the reader has chosen, and drawing the page anew when that changes. The only file that holds state.

const PRESETS = ["7", "30", "90", "year", "all"];
const state = { preset: "30", scheme: "auto", span: /** @type {Span|null} */ (null) };

/** @param {string} preset @param {Span} known @returns {Span} */
function spanOf(preset, known) {
  const start =
    preset === "all"
      ? known.a
      : preset === "year"
        ? yearBefore(known.b) + 1
        : known.b - Number(preset) + 1;
  return { a: Math.max(start, known.a), b: known.b };
}

/** Read the choices that the address carries; what it does not say, the browser does. */
function recall() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const known = knownDays();
  spoken.lang = /** @type {Language} */ (
    Object.hasOwn(WORDS, asked.get("lang") || "") ? asked.get("lang") : browserLanguage()
  );
  state.scheme = ["light", "dark"].includes(asked.get("scheme")) ? asked.get("scheme") : "auto";
  if (!known) return;
  const [from, to] = ["from", "to"].map((name) => dayOf(asked.get(name) || ""));
  if (from >= known.a && to <= known.b && from <= to) {
    state.preset = "";
    state.span = { a: from, b: to };
  } else {
    state.preset = PRESETS.includes(asked.get("range")) ? asked.get("range") : "30";
    state.span = spanOf(state.preset, known);
  }
}

/** Write the choices into the address, so that a bookmark or a copied address shows the same. */
function remember() {
  const told = new URLSearchParams({ lang: spoken.lang });
  if (state.scheme !== "auto") told.set("scheme", state.scheme);
  at("lineage").hidden = !DATA.lineage;
  at("lineage").setAttribute("href", `lineage.html#${told}`);
  if (state.preset) told.set("range", state.preset);
  else if (state.span) {
    told.set("from", isoOf(state.span.a));
    told.set("to", isoOf(state.span.b));
  }
  history.replaceState(null, "", `#${told}`);
}

/** @param {string} id @returns {HTMLElement} */
function at(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Put parts into a section; without any, the section is not there. */
function fill(id, parts) {
  const section = at(id);
  section.hidden = parts.length === 0;
  section.replaceChildren(...parts);
}

/** Show the chosen range: figures and (unless just made) every panel that follows it. */
function showRange(panels = true) {
  const { span } = state;
  if (!span) return;
  const past = comparable(span);
  at("range-text").textContent = past
    ? say("range.compared", { range: spanText(span), count: lengthOf(span), past: spanText(past) })
    : say("range.alone", { range: spanText(span), count: lengthOf(span) });
  /** @type {HTMLInputElement} */ (at("from")).value = isoOf(span.a);
  /** @type {HTMLInputElement} */ (at("to")).value = isoOf(span.b);
  document.querySelectorAll("#presets input").forEach((input) => {
    /** @type {HTMLInputElement} */ (input).checked =
      /** @type {HTMLInputElement} */ (input).value === state.preset;
  });
  at("figure-list").replaceChildren(...cards(span));
  const makers = {
    revenue: revenuePanel,
    funnel: funnelPanel,
    categories: categoriesPanel,
    customers: customersPanel,
  };
  for (const [name, make] of panels ? Object.entries(makers) : []) {
    const [old, made] = [at(name), make(span)];
    if (!old || !made) continue;
    const open = old.querySelector("details[open]");
    forget(old);
    old.replaceWith(made);
    if (open) /** @type {HTMLDetailsElement} */ (made.querySelector("details")).open = true;
  }
  remember();
}

/** @param {string} preset */
function choosePreset(preset) {
  const known = knownDays();
  if (!known) return;
  state.preset = preset;
  state.span = spanOf(preset, known);
  showRange();
}

/** One of the two days was changed; the other follows where it must. @param {"from"|"to"} which */
function chooseDay(which) {
  const known = knownDays();
  const input = /** @type {HTMLInputElement} */ (at(which));
  const day = dayOf(input.value);
  if (!known || !state.span || !Number.isFinite(day)) return;
  const inside = Math.min(Math.max(day, known.a), known.b);
  const { a, b } = state.span;
  state.span =
    which === "from"
      ? { a: inside, b: Math.max(inside, b) }
      : { a: Math.min(a, inside), b: inside };
  state.preset = "";
  showRange();
}

/** The row in which the range is chosen. */
function rangeParts() {
  const known = knownDays();
  if (!known) return [];
  const presets = el("fieldset", { id: "presets" }, el("legend.unseen", {}, say("range.title")));
  choices(
    presets,
    "range",
    PRESETS.map((each) => [each, say(`range.${each}`)]),
    state.preset,
    choosePreset,
  );
  const day = (which) =>
    el(
      "label",
      {},
      say(`range.${which}`),
      " ",
      el("input", {
        type: "date",
        id: which,
        min: isoOf(known.a),
        max: isoOf(known.b),
        required: true,
        onchange: () => chooseDay(which),
      }),
    );
  return [
    el("h2.unseen", {}, say("range.title")),
    presets,
    el("div.dates", {}, day("from"), day("to")),
    el("p", { id: "range-text", role: "status", "aria-live": "polite" }),
  ];
}

/** Write the whole page in the chosen language. */
function showAll() {
  document.documentElement.lang = spoken.lang;
  document.title = say("title");
  document.querySelectorAll("[data-word]").forEach((each) => {
    each.textContent = say(each.getAttribute("data-word"));
  });
  const known = knownDays();
  at("made").textContent = say(known ? "made" : "made.empty", {
    day: known ? dayText(known.b, "weekday") : "",
    at: instantText(DATA.made_at || null),
    zone: DATA.time_zone || "UTC",
  });
  choices(
    at("language"),
    "language",
    [
      ["ko", "한국어"],
      ["en", "English"],
    ],
    spoken.lang,
    (value) => {
      spoken.lang = /** @type {Language} */ (value);
      showAll();
      at("language").querySelector("input:checked").focus();
    },
  );
  choices(
    at("scheme"),
    "scheme",
    ["auto", "light", "dark"].map((each) => [each, say(`scheme.${each}`)]),
    state.scheme,
    (value) => {
      state.scheme = value;
      showScheme();
      remember();
    },
  );
  fill("warnings", warnings());
  fill("range", rangeParts());
  fill(
    "figures",
    known
      ? [el("h2.unseen", {}, say("figures.title")), el("ul", { id: "figure-list", role: "list" })]
      : [],
  );
  forget(at("panels"));
  const { span } = state;
  const panels = [
    ...(span
      ? [revenuePanel(span), funnelPanel(span), categoriesPanel(span), customersPanel(span)]
      : []),
    productsPanel(),
    pairsPanel(),
    pricesPanel(),
    segmentsPanel(),
    retentionPanel(),
  ];
  at("panels").replaceChildren(...panels.filter((each) => each !== null));
  fill("trust", trustParts());
  at("foot").textContent = say("foot");
  if (span) showRange(false);
  else remember();
}

/** Light, dark, or as the system has it. */
function showScheme() {
  if (state.scheme === "auto") delete document.documentElement.dataset.scheme;
  else document.documentElement.dataset.scheme = state.scheme;
}

/** @param {string} a @param {string} b "YYYY-MM-DD" @returns {Figures} as at the top */
function figures(a, b) {
  return figuresOf({ a: dayOf(a), b: dayOf(b) });
}

document.addEventListener("DOMContentLoaded", () => {
  recall();
  showScheme();
  showAll();
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    at("main").focus();
  });
  addEventListener("hashchange", () => {
    recall();
    showScheme();
    showAll();
  });
  Object.assign(window, { orderhe: { figures, drawn: allDrawn } });
});
