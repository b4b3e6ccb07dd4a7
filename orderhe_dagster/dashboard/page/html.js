// Building blocks of the page: elements, tables, panels. Text is always text, never markup.

/**
 * @param {string} tag with classes: "p.note" @param {Object<string, any>} [attributes]
 * @param {...(Node|string|null)} children @returns {HTMLElement}
 */
function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(key, String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * @typedef {{title: string, number?: boolean, head?: boolean}} Column  head: names its row
 * @param {string} caption @param {Column[]} columns @param {(string|Node)[][]} rows
 * @param {string} [shape] a class of the table @returns {HTMLElement} in a box that scrolls by itself
 */
function table(caption, columns, rows, shape = "") {
  const number = (column) => (column.number ? "number" : null);
  const head = columns.map((each) => el("th", { scope: "col", class: number(each) }, each.title));
  const lines = rows.map((row) =>
    el(
      "tr",
      {},
      ...row.map((cell, at) =>
        columns[at].head
          ? el("th", { scope: "row" }, cell)
          : el("td", { class: number(columns[at]) }, cell),
      ),
    ),
  );
  const made = el(
    "table",
    { class: shape || null },
    el("caption.unseen", {}, caption),
    el("thead", {}, el("tr", {}, ...head)),
    el("tbody", {}, ...lines),
  );
  return el("div.scroll", { tabindex: 0, role: "group", "aria-label": caption }, made);
}

/** A table that is folded away until it is asked for. Its rows are made when it is first opened. */
function folded(title, caption, columns, rows) {
  const made = el("details", {}, el("summary", {}, title));
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) made.append(table(caption, columns, rows()));
  });
  return made;
}

/**
 * A panel of the page: a heading, what it says in a sentence, and whatever else.
 * @param {string} name also its id @param {string} size wide, half or narrow @param {...(Node|null)} children
 */
function panel(name, size, ...children) {
  return el(
    `section.panel.${size}`,
    { id: name, "aria-labelledby": `${name}-title` },
    el("h2", { id: `${name}-title` }, say(`${name}.title`)),
    ...children,
  );
}

/** @param {...(string|Node)} text @returns {HTMLElement} the sentence that says what a panel shows */
function summary(...text) {
  return el("p.summary", {}, ...text);
}

/** @param {...(string|Node)} text */
function note(...text) {
  return el("p.note", {}, ...text);
}

/** What the colours of a chart mean, in words. @param {[string, string][]} entries shape and word */
function legend(entries) {
  return el(
    "ul.legend",
    { role: "list" },
    ...entries.map(([shape, word]) =>
      el("li", {}, el(`span.swatch.${shape}`, { "aria-hidden": "true" }), word),
    ),
  );
}

/**
 * Buttons of which one is chosen, as radio buttons.
 * @param {HTMLElement} into a fieldset that has its legend @param {string} name
 * @param {[string, string][]} options value and word @param {string} chosen
 * @param {(value: string) => void} then
 */
function choices(into, name, options, chosen, then) {
  const kept = into.querySelector("legend");
  into.className = "choices";
  into.replaceChildren(
    ...(kept ? [kept] : []),
    ...options.map(([value, word]) => {
      const input = el("input", {
        type: "radio",
        name,
        value,
        checked: value === chosen,
        onchange: () => then(value),
      });
      return el("label", {}, input, el("span", { lang: name === "language" ? value : null }, word));
    }),
  );
  return into;
}

const ARROWS = { up: "▲", down: "▼", same: "=", new: "★", gone: "▼", none: "" };

/**
 * A change, told by sign and word; the colour only repeats it.
 * @param {Change} change @param {string} kind money, count or rate
 * @param {number} good 1: more is better; -1: less; 0: neither
 */
function changeText(change, kind, good = 1) {
  const { way, share, difference } = change;
  const amount =
    kind === "rate"
      ? points(difference)
      : share !== null
        ? changePercent(share)
        : written(kind, Math.abs(difference));
  const rising = way === "up" || way === "new" ? 1 : way === "same" || way === "none" ? 0 : -1;
  const tone = rising * good > 0 ? "good" : rising * good < 0 ? "bad" : "even";
  const text = say(kind === "rate" ? `change.points.${way}` : `change.${way}`, { amount });
  return el(
    `span.change.${tone}`,
    {},
    el("span.arrow", { "aria-hidden": "true" }, ARROWS[way]),
    ARROWS[way] ? " " : "",
    text,
  );
}
