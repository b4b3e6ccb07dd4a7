// The figures at the top: how each is computed, and how it differs from the period before.

/** @param {number} part @param {number} whole @returns {number|null} null: by nothing */
function ratio(part, whole) {
  return whole ? part / whole : null;
}

/**
 * @typedef {{revenue: number|null, orders: number|null, average_order: number|null,
 *   repeat_rate: number|null, return_rate: number|null}} Figures  rates are fractions of 1
 */

/** @param {Span} span @returns {number|null} neither cancelled nor returned; null where nobody can say */
function keptOrders(span) {
  if (!has("order_funnel")) return null;
  const of = (name) => sum("order_funnel", `${name}_count`, span);
  return of("placed") - of("cancelled") - of("returned"); // a shop that tells of no returns has 0
}

/** @param {Span} span @returns {Figures} null where it cannot be said */
function figuresOf(span) {
  const of = (name, column) => sum(name, column, span);
  const revenue = has("daily_sales") ? of("daily_sales", "net_amount") : null;
  const returns = has("order_funnel.delivered_count") && has("order_funnel.returned_count");
  const kept = keptOrders(span) || 0;
  const repeated = has("daily_customers") ? of("daily_customers", "repeat_order_count") : 0;
  const first = has("daily_customers") ? of("daily_customers", "first_order_count") : 0;
  return {
    revenue,
    orders: has("daily_sales") ? of("daily_sales", "order_count") : null,
    average_order: revenue === null ? null : ratio(revenue, kept),
    repeat_rate: ratio(repeated, first + repeated),
    return_rate: returns
      ? ratio(of("order_funnel", "returned_count"), of("order_funnel", "delivered_count"))
      : null,
  };
}

/**
 * The five figures: which export each needs, how it is written, and whether more is good. Of the latest
 * orders, fewer have come back so far: a return rate that falls is no good news yet.
 */
const FIGURES = [
  { name: "revenue", needs: ["daily_sales"], kind: "money", good: 1 },
  { name: "orders", needs: ["daily_sales"], kind: "count", good: 1 },
  { name: "average_order", needs: ["daily_sales", "order_funnel"], kind: "money", good: 1 },
  { name: "repeat_rate", needs: ["daily_customers"], kind: "rate", good: 1 },
  {
    name: "return_rate",
    needs: ["order_funnel.delivered_count", "order_funnel.returned_count"],
    kind: "rate",
    good: 0,
  },
];

/** @param {Span} span @returns {Span|null} the period before, where the data holds all of it */
function comparable(span) {
  const known = knownDays();
  const past = before(span);
  return known && past.a >= known.a ? past : null;
}

/**
 * @typedef {{way: "up"|"down"|"same"|"new"|"gone"|"none", share: number|null, difference: number}} Change
 *   share: of what was before, null where that says nothing (before was 0 or less, or it is a rate)
 */

/**
 * @param {number|null} now @param {number|null} past @param {boolean} [rate] compared by difference
 * @returns {Change}
 */
function changeOf(now, past, rate = false) {
  if (now === null || past === null || now === undefined || past === undefined) {
    return { way: "none", share: null, difference: 0 };
  }
  const difference = now - past;
  const way = difference > 0 ? "up" : difference < 0 ? "down" : "same";
  if (rate || way === "same") return { way, share: null, difference };
  if (past === 0) return { way: way === "up" ? "new" : "gone", share: null, difference };
  return { way, share: past > 0 ? difference / past : null, difference };
}
