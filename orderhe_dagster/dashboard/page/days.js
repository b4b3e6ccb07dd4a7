// Days and stretches of days: arithmetic on whole days, without clocks or time zones.

/** @typedef {{a: number, b: number}} Span  first and last day, as days since 1970-01-01 */

const DAY_MS = 86_400_000;

/** @param {string} text "YYYY-MM-DD" @returns {number} days since 1970-01-01 */
function dayOf(text) {
  return Math.round(Date.parse(`${text}T00:00:00Z`) / DAY_MS);
}

/** @param {number} day @returns {string} "YYYY-MM-DD" */
function isoOf(day) {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** @param {Span} span @returns {number} days in it */
function lengthOf(span) {
  return span.b - span.a + 1;
}

/** The stretch of the same length that ends the day before. @param {Span} span @returns {Span} */
function before(span) {
  return { a: span.a - lengthOf(span), b: span.a - 1 };
}

/** @param {number} day @returns {number} first day of its month */
function monthStart(day) {
  const date = new Date(day * DAY_MS);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / DAY_MS;
}

/** @param {number} day @param {number} count @returns {number} first day of the month `count` months on */
function addMonths(day, count) {
  const date = new Date(day * DAY_MS);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count, 1) / DAY_MS;
}

/** The same day a year ago; 29 February becomes the 28th. @param {number} day @returns {number} */
function yearBefore(day) {
  const date = new Date(day * DAY_MS);
  const [year, month] = [date.getUTCFullYear() - 1, date.getUTCMonth()];
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, Math.min(date.getUTCDate(), last)) / DAY_MS;
}

/**
 * @typedef {Span & {unit: "day"|"week"|"month", whole: boolean}} Bucket
 *   a bar's stretch; `whole` is false where the range cuts a week or a month short
 */

/** What one bar stands for, so that a range has few enough to be told apart. @param {Span} span */
function unitOf(span) {
  const days = lengthOf(span);
  return days <= 45 ? "day" : days <= 430 ? "week" : "month";
}

/**
 * Cut a range into bars: days, weeks of seven days that end with its last day, or calendar months.
 * @param {Span} span @returns {Bucket[]} in order
 */
function buckets(span) {
  const unit = unitOf(span);
  /** @type {Bucket[]} */
  const found = [];
  if (unit === "month") {
    for (let start = monthStart(span.a); start <= span.b; start = addMonths(start, 1)) {
      const end = addMonths(start, 1) - 1;
      const cut = { a: Math.max(start, span.a), b: Math.min(end, span.b) };
      found.push({ ...cut, unit, whole: cut.a === start && cut.b === end });
    }
    return found;
  }
  const step = unit === "day" ? 1 : 7;
  for (let end = span.b; end >= span.a; end -= step) {
    const a = Math.max(end - step + 1, span.a);
    found.unshift({ a, b: end, unit, whole: end - a + 1 === step });
  }
  return found;
}
