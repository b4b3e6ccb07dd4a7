// What the page says, in which language, and how numbers, money and days are written in it.

/** @typedef {"en"|"ko"} Language */

const WORDS = embedded("words");
/** @type {{lang: Language}} */
const spoken = { lang: "en" };

/** @param {string} key @returns {boolean} */
function knows(key) {
  return key in (WORDS[spoken.lang] || {});
}

/**
 * The sentence of a key; `{name}` in it is replaced by `values.name`. With a `count`, the key's plural
 * form is taken: `key.one` or `key.other`.
 * @param {string} key @param {Object<string, string|number>} [values] @returns {string}
 */
function say(key, values = {}) {
  const words = WORDS[spoken.lang] || {};
  const plural = `${key}.${new Intl.PluralRules(spoken.lang).select(Number(values.count))}`;
  const text = "count" in values && plural in words ? words[plural] : words[key];
  if (text === undefined) throw new Error(`no word for ${key} in ${spoken.lang}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? count(value) : String(value);
  });
}

const formats = new Map();

const LOCALES = { en: "en-GB", ko: "ko-KR" };

/** An Intl format, made once for each language. */
function format(kind, name, options) {
  const key = `${spoken.lang} ${name}`;
  if (!formats.has(key)) formats.set(key, new Intl[kind](LOCALES[spoken.lang], options));
  return formats.get(key);
}

const CURRENCY = DATA.currency || "KRW";

/** @param {number|null} value @returns {string} "1,234"; a dash where there is none */
function count(value) {
  return value === null ? "–" : format("NumberFormat", "count", {}).format(value);
}

/** @param {number|null} value @returns {string} every digit */
function money(value) {
  const options = { style: "currency", currency: CURRENCY, currencyDisplay: "narrowSymbol" };
  return value === null ? "–" : format("NumberFormat", "money", options).format(value);
}

/** @param {number|null} value @returns {string} short, in the units that the language reads (만, 억, m, bn) */
function shortMoney(value) {
  if (value === null) return "–";
  const style = { style: "currency", currency: CURRENCY, currencyDisplay: "narrowSymbol" };
  if (Math.abs(value) < 1000) return money(value);
  if (Math.abs(value) < 1_000_000)
    return format("NumberFormat", "roundMoney", { ...style, maximumFractionDigits: 0 }).format(
      value,
    );
  return compactMoney(value);
}

/** @param {number} value @returns {string} in the largest unit that fits, with about three digits */
function compactMoney(value) {
  const step = spoken.lang === "ko" ? 10_000 : 1000; // 만 counts to 9,999
  let size = Math.abs(value);
  while (size >= step) size /= step;
  const digits = size < 10 ? 2 : size < 100 ? 1 : 0;
  const options = {
    style: "currency",
    currency: CURRENCY,
    currencyDisplay: "narrowSymbol",
    useGrouping: "always",
    notation: "compact",
    minimumFractionDigits: 0,
    maximumFractionDigits: digits,
  };
  return format("NumberFormat", `compact${digits}`, options).format(value);
}

/** @param {number} value @returns {string} for an axis: as short as can be */
function shortCount(value) {
  return format("NumberFormat", "shortCount", { notation: "compact" }).format(value);
}

/** @param {number|null} share of 1 @returns {string} */
function percent(share) {
  const digits = share === 1 || share === 0 ? 0 : 1;
  const options = {
    style: "percent",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  };
  return share === null ? "–" : format("NumberFormat", `percent${digits}`, options).format(share);
}

/** @param {number} share @returns {string} of a change, without its sign: three digits are enough */
function changePercent(share) {
  const digits = Math.abs(share) >= 10 ? 0 : 1;
  const options = {
    style: "percent",
    maximumFractionDigits: digits,
    minimumFractionDigits: digits,
  };
  return format("NumberFormat", `changePercent${digits}`, options).format(Math.abs(share));
}

/** @param {number} value of a rate @returns {string} in points, without its sign */
function points(value) {
  const options = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return format("NumberFormat", "points", options).format(Math.abs(value) * 100);
}

/** @param {string} kind money, count or rate @param {number|null} value @param {boolean} [short] */
function written(kind, value, short = true) {
  if (kind === "rate") return percent(value);
  return kind === "count" ? count(value) : short ? shortMoney(value) : money(value);
}

/** @param {number} day @param {"full"|"short"|"month"|"weekday"} [style] @returns {string} */
function dayText(day, style = "full") {
  const options = {
    full: { year: "numeric", month: "short", day: "numeric" },
    short: { month: "short", day: "numeric" },
    month: { year: "numeric", month: "short" },
    weekday: { year: "numeric", month: "short", day: "numeric", weekday: "short" },
  }[style];
  const written = format("DateTimeFormat", `day ${style}`, { ...options, timeZone: "UTC" });
  return written.format(day * DAY_MS);
}

/** @param {Span} span @returns {string} "1 Nov – 7 Nov 2026", as the language writes it */
function spanText(span) {
  const options = { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" };
  return format("DateTimeFormat", "span", options).formatRange(span.a * DAY_MS, span.b * DAY_MS);
}

/** @param {string|null} instant ISO, UTC @returns {string} in the shop's time zone */
function instantText(instant) {
  if (!instant) return "–";
  const options = { dateStyle: "medium", timeStyle: "short", timeZone: DATA.time_zone || "UTC" };
  return format("DateTimeFormat", "instant", options).format(new Date(instant));
}

/** @param {Bucket} bucket @returns {string} what a bar stands for */
function bucketText(bucket) {
  if (bucket.unit === "day") return dayText(bucket.a, "weekday");
  if (bucket.unit === "month" && bucket.whole) return dayText(bucket.a, "month");
  return spanText(bucket);
}

/** The language that the reader's browser asks for first, of those the page knows. @returns {Language} */
function browserLanguage() {
  const wanted = navigator.languages || [navigator.language];
  const found = wanted.map((each) => each.slice(0, 2)).find((each) => each in WORDS);
  return /** @type {Language} */ (found || "en");
}
