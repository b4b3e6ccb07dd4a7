// Puts the page together: what the reader does changes the address, and the address says what is drawn.

const SHOWN_FOUND = 12;

/** Draw everything anew from `state`; what had the keyboard keeps it. */
function draw() {
  const at = document.activeElement;
  const kept = at && at.closest("[data-node], [data-fold]");
  const [name, value] = kept
    ? kept.hasAttribute("data-node")
      ? ["data-node", kept.getAttribute("data-node")]
      : ["data-fold", kept.getAttribute("data-fold")]
    : ["", ""];
  drawTexts();
  drawTools();
  drawDetails();
  drawCards();
  drawLines();
  if (name) {
    const again = document.querySelector(`[${name}="${CSS.escape(value)}"]`);
    if (again) /** @type {HTMLElement} */ (again.querySelector("a") || again).focus();
  }
}

/** The words of the page's frame. */
function drawTexts() {
  document.documentElement.lang = state.lang;
  document.documentElement.dataset.scheme = state.scheme;
  document.title = word("title");
  for (const each of document.querySelectorAll("[data-word]"))
    each.textContent = word(/** @type {HTMLElement} */ (each).dataset.word);
  for (const each of document.querySelectorAll("[data-label]"))
    each.setAttribute("aria-label", word(/** @type {HTMLElement} */ (each).dataset.label));
  const columns = DATA.tables.reduce((sum, table) => sum + table.columns.length, 0);
  document.getElementById("summary").textContent =
    word("summary", { tables: count(DATA.tables.length), columns: count(columns) });
  const dashboard = /** @type {HTMLAnchorElement} */ (document.getElementById("dashboard"));
  dashboard.hidden = !DATA.dashboard;
  dashboard.href = `index.html#lang=${state.lang}${state.scheme && `&scheme=${state.scheme}`}`;
  const path = chosenPath();
  const told = document.getElementById("told");
  if (path) {
    const { column } = nodes.get(state.chosen); // of a table, its columns' columns are counted
    const sum = (/** @type {Set<string>} */ ids) =>
      count([...ids].filter((id) => column || nodes.get(id).column).length);
    told.textContent =
      `${state.chosen}: ${word("path", { up: sum(path.up), down: sum(path.down) })}`;
  } else told.textContent = state.chosen ? word("unknown", { name: state.chosen }) : "";
}

/** The switches and choices at the top. */
function drawTools() {
  const go = (/** @type {Partial<State>} */ change) => () => { location.hash = address(change); };
  document.getElementById("languages").replaceChildren(...Object.entries(LANGUAGES).map(
    ([lang, name]) => element("button", {
      type: "button", lang, "aria-pressed": String(lang === state.lang), click: go({ lang }),
    }, name)));
  const dark = state.scheme ? state.scheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = document.getElementById("theme");
  theme.textContent = word(dark ? "theme_light" : "theme_dark");
  theme.onclick = go({ scheme: dark ? "light" : "dark" });
  document.getElementById("layers").replaceChildren(...LAYERS.map((layer) => {
    const hidden = new Set(state.hidden);
    if (!hidden.delete(layer)) hidden.add(layer);
    return element("button", {
      type: "button",
      "aria-pressed": String(!state.hidden.has(layer)),
      disabled: hidden.size === LAYERS.length,
      click: go({ hidden }),
    }, word(layer));
  }));
  const table = /** @type {HTMLSelectElement} */ (document.getElementById("table"));
  const node = nodes.get(state.chosen);
  table.replaceChildren(
    element("option", { value: "" }, word("table_all")),
    ...LAYERS.map((layer) => element("optgroup", { label: word(layer) },
      ...DATA.tables.filter((each) => each.layer === layer)
        .map((each) => element("option", { value: each.id }, each.name)))));
  table.value = node ? node.table.id : "";
  const all = document.getElementById("unfold");
  all.textContent = word(unfolded ? "fold" : "unfold");
}

/** What the search finds, as links. */
function drawFound() {
  const field = /** @type {HTMLInputElement} */ (document.getElementById("search"));
  const found = search(field.value);
  const listed = found.slice(0, SHOWN_FOUND);
  const box = document.getElementById("found");
  box.hidden = !listed.length;
  box.replaceChildren(...listed.map((node) => {
    const link = choosing(node.id, element("span", { class: "name" }, node.id));
    link.append(element("span", { class: "quiet" },
      firstSentence((node.column || node.table).description)));
    return element("li", {}, link);
  }));
  const values = { n: count(found.length), shown: count(listed.length) };
  document.getElementById("found-count").textContent = !field.value.trim() ? ""
    : !found.length ? word("found_none")
      : word(found.length > listed.length ? "found_more" : "found", values);
}

/** Empty the search and close what it found. */
function endSearch() {
  /** @type {HTMLInputElement} */ (document.getElementById("search")).value = "";
  drawFound();
}

/** Arrow keys go from card to card: up and down within a layer, left and right along the lines.
 * @param {KeyboardEvent} event */
function moveByArrows(event) {
  const from = /** @type {HTMLElement} */ (event.target).closest("[data-node]");
  if (!from || !event.key.startsWith("Arrow")) return;
  const id = from.getAttribute("data-node");
  /** @type {HTMLElement|null} */
  let to = null;
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const rows = [...from.closest(".stage").querySelectorAll("[data-node]")];
    to = rows[rows.indexOf(from) + (event.key === "ArrowUp" ? -1 : 1)];
  } else {
    const edges = event.key === "ArrowLeft" ? upstream : downstream;
    to = [...nearest(id, edges, state.hidden)].map(place).find(Boolean);
  }
  if (to) {
    event.preventDefault();
    to.querySelector("a").focus();
  }
}

/** Follow the address. */
function follow() {
  const before = state.chosen;
  state = readAddress();
  endSearch();
  draw();
  if (state.chosen !== before && nodes.has(state.chosen)) window.scrollTo({ top: 0 });
}

document.getElementById("unfold").addEventListener("click", () => {
  unfolded = !unfolded;
  turned.clear();
  draw();
});
document.getElementById("search").addEventListener("input", drawFound);
document.getElementById("table").addEventListener("change", (event) => {
  location.hash = address({ chosen: /** @type {HTMLSelectElement} */ (event.target).value });
});
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
document.getElementById("stages").addEventListener("keydown", moveByArrows);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/** @type {HTMLElement} */ (event.target).matches("input, select")) {
    event.preventDefault();
    document.getElementById("search").focus();
  } else if (event.key === "Escape") {
    if (/** @type {HTMLInputElement} */ (document.getElementById("search")).value) endSearch();
    else if (state.chosen) location.hash = address({ chosen: "" });
  }
});
window.addEventListener("hashchange", follow);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
new ResizeObserver(drawLines).observe(document.getElementById("stages"));
follow();
