// What is shown: the chosen node, language, colours and hidden layers, kept in the address after #.

/** @type {Record<string, Record<string, string>>} */
const WORDS = JSON.parse(document.getElementById("words").textContent);
const LANGUAGES = { en: "English", ko: "한국어" };

/** @typedef {{chosen: string, lang: string, scheme: string, hidden: Set<string>}} State */

/** @type {State} */
let state = { chosen: "", lang: "en", scheme: "", hidden: new Set() };

/** A word in the chosen language, `{name}` filled in.
 * @param {string} key @param {Record<string, string|number>} [values] */
function word(key, values = {}) {
  return WORDS[state.lang][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** A number as the chosen language writes it. @param {number} value */
function count(value) {
  return value.toLocaleString(state.lang);
}

/** The address of a state: what is chosen, then what differs from the reader's own settings.
 * @param {Partial<State>} change */
function address(change) {
  const wanted = { ...state, ...change };
  const parts = [encodeURIComponent(wanted.chosen)];
  if (wanted.lang !== ownLanguage()) parts.push(`lang=${wanted.lang}`);
  if (wanted.scheme) parts.push(`scheme=${wanted.scheme}`);
  if (wanted.hidden.size) parts.push(`hide=${[...wanted.hidden].join(",")}`);
  return `#${parts.join("&")}`;
}

/** Read the address; what it does not say is as the reader's browser has it. @returns {State} */
function readAddress() {
  const [chosen, ...rest] = location.hash.slice(1).split("&");
  const asked = chosen.includes("=") ? ["", chosen, ...rest] : [chosen, ...rest];
  const said = Object.fromEntries(asked.slice(1).map((part) => part.split("=")));
  return {
    chosen: decoded(asked[0]),
    lang: Object.hasOwn(WORDS, said.lang || "") ? said.lang : ownLanguage(),
    scheme: ["light", "dark"].includes(said.scheme) ? said.scheme : "",
    hidden: new Set((said.hide || "").split(",").filter((layer) => LAYERS.includes(layer))),
  };
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // typed by hand: shown as it is, as something that is not there
  }
}

function ownLanguage() {
  return navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in WORDS) || "en";
}

/**
 * An element with attributes, or listeners where the value is a function, and children.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node|string)} children
 */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/** A link that chooses a node. @param {string} id @param {...(Node|string)} children */
function choosing(id, ...children) {
  const current = id === state.chosen ? "true" : null;
  return element("a", { href: address({ chosen: id }), "aria-current": current }, ...children);
}

/** The mark of personal data, with its word for who cannot see it. */
function personalMark() {
  return element("span", { class: "personal", title: word("personal") },
    element("span", { class: "unseen" }, ` (${word("personal")})`));
}

/** A long name, with places where a line may end. @param {string} name */
function breakable(name) {
  return name.split(/(?<=[._])/).flatMap((part) => [part, element("wbr")]);
}

/** @param {string} text */
function firstSentence(text) {
  return text.replaceAll("\n", " ").split(/(?<=[.:?])\s/)[0].replace(/:$/, ".");
}

/** A comment of several lines as paragraphs: an empty line parts them. @param {string} text */
function paragraphs(text) {
  return text.split(/\n\s*\n/).filter(Boolean)
    .map((part) => element("p", { class: "meaning" }, part.replaceAll("\n", " ")));
}
