// The page's data: what stands in the page, as rows and as sums over days. Knows no words and no DOM.

/** @param {string} id @returns {any} what the JSON in that script says */
function embedded(id) {
  const found = document.getElementById(id);
  return found && found.textContent ? JSON.parse(found.textContent) : {};
}

const DATA = embedded("data");
const EXPORTS = DATA.exports || {};

/** @param {string} name @returns {boolean} whether the page has this export, or `export.column`, with a row at least */
function has(name) {
  const [table, wanted] = name.split(".");
  const columns = EXPORTS[table];
  if (!columns || (wanted && !(wanted in columns))) return false;
  return Object.values(columns).some((column) => column.length > 0);
}

/** @param {string} name @returns {Object<string, any>[]} the rows of an export; none where it is missing */
function rowsOf(name) {
  const columns = EXPORTS[name] || {};
  const names = Object.keys(columns);
  const count = names.length ? columns[names[0]].length : 0;
  return Array.from({ length: count }, (_, at) =>
    Object.fromEntries(names.map((column) => [column, columns[column][at]])),
  );
}

/** The days the data knows; null where there are none. @returns {Span|null} */
function knownDays() {
  if (!has("daily_sales") || !DATA.first_day || !DATA.last_day) return null;
  return { a: dayOf(DATA.first_day), b: dayOf(DATA.last_day) };
}

const dayNumbers = new Map();

/** @param {string} name @returns {number[]} the day of each row of a daily export */
function daysIn(name) {
  if (!dayNumbers.has(name)) {
    const days = (EXPORTS[name] || {}).order_date || [];
    dayNumbers.set(name, days.map(dayOf));
  }
  return dayNumbers.get(name);
}

/**
 * The sum over the days of a span; 0 where there are none.
 * @param {string} name @param {string} column @param {Span} span @returns {number}
 */
function sum(name, column, span) {
  const values = (EXPORTS[name] || {})[column] || [];
  let total = 0;
  daysIn(name).forEach((day, at) => {
    if (day >= span.a && day <= span.b) total += values[at] || 0;
  });
  return total;
}

/** @param {Span} span @returns {Map<string, number>} net amount of each category; "" where it has no name */
function categoryTotals(span) {
  const { category = [], net_amount: net = [] } = EXPORTS.category_sales || {};
  const totals = new Map();
  daysIn("category_sales").forEach((day, at) => {
    if (day < span.a || day > span.b) return;
    const name = category[at] || "";
    totals.set(name, (totals.get(name) || 0) + (net[at] || 0));
  });
  return totals;
}
