// The panels that tell where things stand at the last day: products, segments, retention, pairs, prices.

/** Rows of a long table that show before the rest is asked for. */
const FIRST_ROWS = 8;

/** @param {(count: number) => HTMLElement} make @param {number} all how many rows there are */
function more(make, all) {
  const place = el("div", {});
  const fill = (shown) => {
    const button = shown < all
      ? el("button.more", { type: "button", onclick: () => { fill(all); place.querySelector(".scroll").focus(); } }, say("show_all", { count: all }))
      : null;
    place.replaceChildren(make(Math.min(shown, all)), ...(button ? [button] : []));
  };
  fill(FIRST_ROWS);
  return place;
}

/**
 * A list whose order can be chosen. @param {string} name of the panel
 * @param {Object<string, (rows: any[]) => any[]>} orders which rows in which order; the first is shown
 * @param {any[]} all @param {Column[]} columns @param {(row: any) => (string|Node)[]} cells
 */
function orderedList(name, orders, all, columns, cells) {
  const place = el("div", {});
  const options = Object.keys(orders).map((order) => [order, say(`${name}.${order}`)]);
  const show = (order) => {
    const rows = orders[order](all);
    place.replaceChildren(rows.length
      ? more((shown) => table(say(`${name}.${order}`), columns, rows.slice(0, shown).map(cells), "fixed"), rows.length)
      : note(say("nothing_here")));
  };
  show(options[0][0]);
  return [choices(el("fieldset", {}, el("legend.unseen", {}, say("order"))), `${name}-order`, options, options[0][0], show), place];
}

/** A name, with something smaller under it. @param {string|null} name @param {string} [under] */
function named(name, under) {
  return el("span.named", {}, el("span", {}, name || say("no_name")), under ? el("small", {}, under) : null);
}

/** @returns {HTMLElement|null} */
function productsPanel() {
  if (!has("product_sales")) return null;
  const all = rowsOf("product_sales").map((row) => ({
    ...row, change: changeOf(row.recent_net_amount, row.previous_net_amount),
    difference: row.recent_net_amount - row.previous_net_amount,
  }));
  const orders = {
    best: (rows) => [...rows].sort((one, other) => other.recent_net_amount - one.recent_net_amount),
    rising: (rows) => rows.filter((row) => row.difference > 0).sort((one, other) => other.difference - one.difference),
    falling: (rows) => rows.filter((row) => row.difference < 0).sort((one, other) => one.difference - other.difference),
  };
  const top = orders.best(all)[0];
  const columns = [
    { title: say("product"), head: true }, { title: say("products.recent"), number: true },
    { title: say("change"), number: true },
  ];
  const cells = (row) => [
    named(row.product_name, row.category),
    named(shortMoney(row.recent_net_amount), say("figure.before", { value: shortMoney(row.previous_net_amount) })),
    changeText(row.change, "money"),
  ];
  const told = top.recent_net_amount > 0
    ? say("products.summary", { name: top.product_name || say("no_name"), amount: shortMoney(top.recent_net_amount) })
    : say("nothing_sold");
  return panel("products", "list", summary(told), ...orderedList("products", orders, all, columns, cells),
    note(say("products.note", { count: all.length })));
}

/** @param {string} name @returns {string} */
function segmentName(name) {
  return knows(`segment.${name}`) ? say(`segment.${name}`) : name;
}

/** @returns {HTMLElement|null} */
function segmentsPanel() {
  if (!has("customer_segments")) return null;
  const order = ["champion", "loyal", "at_risk", "new", "promising", "sleeping", "lost", "prospect"];
  const place = (row) => (order.indexOf(row.segment) + order.length) % order.length;
  const all = rowsOf("customer_segments").sort((one, other) => place(one) - place(other));
  const customers = all.reduce((amount, row) => amount + row.customer_count, 0);
  const revenue = all.reduce((amount, row) => amount + row.net_amount, 0);
  const rows = all.flatMap((row) => [
    ["customers", row.customer_count, customers], ["revenue", row.net_amount, revenue],
  ].map(([series, value, whole]) => ({
    name: segmentName(row.segment), series, share: ratio(value, whole) || 0, text: percent(ratio(value, whole)),
    series_text: say(`segments.${series}`),
    value: series === "revenue" ? money(value) : count(value),
  })));
  const top = all.reduce((best, row) => (row.net_amount > best.net_amount ? row : best), all[0]);
  const told = say("segments.summary", {
    name: segmentName(top.segment), customers: percent(ratio(top.customer_count, customers)),
    revenue: percent(ratio(top.net_amount, revenue)),
  });
  const tooltip = [
    { field: "name", title: say("segments.segment") }, { field: "series_text", title: say("segments.share") },
    { field: "text", title: say("share") }, { field: "value", title: say("segments.value") },
  ];
  const columns = [
    { title: say("segments.segment"), head: true }, { title: say("segments.customers"), number: true },
    { title: say("orders"), number: true }, { title: say("revenue.now"), number: true },
    { title: say("segments.recency"), number: true },
  ];
  const meaning = (name) => (knows(`segment.${name}.means`) ? say(`segment.${name}.means`) : "");
  return panel("segments", "half", summary(told),
    figure(`${say("segments.title")}. ${told}`, pairBarsSpec(rows, tooltip),
      legend([["second", say("segments.share.customers")], ["accent", say("segments.share.revenue")]]),
      folded(say("as_table"), say("segments.title"), columns, () => all.map((row) => [
        named(segmentName(row.segment), meaning(row.segment)), count(row.customer_count), count(row.order_count),
        shortMoney(row.net_amount),
        row.average_recency_days === null ? "–" : say("segments.ago", { count: row.average_recency_days })]))));
}

/** Cohorts and months of the triangle; older ones would not fit. */
const MOST_COHORTS = 13;

/** @returns {HTMLElement|null} */
function retentionPanel() {
  if (!has("cohort_retention")) return null;
  const cells = new Map(rowsOf("cohort_retention").map((row) => [`${row.cohort_month} ${row.month_number}`, row]));
  const sizes = new Map(rowsOf("cohort_retention").map((row) => [row.cohort_month, row.cohort_size]));
  const last = DATA.last_day ? monthStart(dayOf(DATA.last_day)) : Math.max(...[...sizes.keys()].map(dayOf));
  const monthEnds = DATA.last_day && addMonths(last, 1) - 1 === dayOf(DATA.last_day);
  const cohorts = [...sizes.keys()].sort().slice(-MOST_COHORTS);
  const age = (cohort) => {
    const [from, to] = [new Date(dayOf(cohort) * DAY_MS), new Date(last * DAY_MS)];
    return (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
  };
  const months = Math.min(Math.max(...cohorts.map(age)), MOST_COHORTS - 1);
  let [stayed, could] = [0, 0];
  for (const cohort of cohorts) {
    const running = age(cohort) === 1 && !monthEnds;
    if (age(cohort) < 1 || running) continue;
    could += sizes.get(cohort);
    stayed += (cells.get(`${cohort} 1`) || { customer_count: 0 }).customer_count;
  }
  const most = Math.max(1, ...[...cells.values()].filter((row) => row.month_number > 0).map((row) => row.retained_pct));
  const cell = (cohort, month) => {
    if (month > age(cohort)) return el("span", {}, "");
    const found = cells.get(`${cohort} ${month}`);
    const pct = found ? found.retained_pct : 0;
    const step = Math.min(6, Math.ceil((pct / most) * 6));
    const running = month === age(cohort) && !monthEnds;
    const text = format("NumberFormat", "pct", { maximumFractionDigits: 0 }).format(pct);
    return el(`span.heat.heat-${month === 0 ? "all" : step}${running ? ".running" : ""}`, {}, text);
  };
  const columns = [
    { title: say("retention.cohort"), head: true }, { title: say("retention.size"), number: true },
    ...Array.from({ length: months + 1 }, (_, month) => ({ title: count(month), number: true })),
  ];
  const told = could
    ? say("retention.summary", { rate: percent(stayed / could) })
    : say("retention.too_young");
  return panel("retention", "half", summary(told),
    table(say("retention.caption"), columns, cohorts.map((cohort) => [
      dayText(dayOf(cohort), "month"), count(sizes.get(cohort)),
      ...Array.from({ length: months + 1 }, (_, month) => cell(cohort, month))]), "triangle"),
    note(say("retention.note"), monthEnds ? "" : ` ${say("retention.running")}`,
      cohorts.length < sizes.size ? ` ${say("retention.latest", { count: cohorts.length })}` : ""));
}

/** @returns {HTMLElement|null} */
function pairsPanel() {
  if (!has("product_pairs")) return null;
  const all = rowsOf("product_pairs").sort((one, other) => other.basket_count - one.basket_count || other.lift - one.lift);
  const orders = { often: (rows) => rows, telling: (rows) => [...rows].sort((one, other) => other.lift - one.lift) };
  const lift = (value) => format("NumberFormat", "lift", { maximumFractionDigits: 1, minimumFractionDigits: 1 }).format(value);
  const columns = [
    { title: say("pairs.products"), head: true }, { title: say("pairs.baskets"), number: true },
    { title: say("pairs.lift"), number: true },
  ];
  const cells = (row) => [
    named(row.product_name, `+ ${row.other_product_name || say("no_name")}`), count(row.basket_count),
    say("pairs.times", { times: lift(row.lift) }),
  ];
  const [top] = all;
  const names = { one: top.product_name || say("no_name"), other: top.other_product_name || say("no_name") };
  return panel("pairs", "list", summary(say("pairs.summary", { ...names, count: top.basket_count })),
    ...orderedList("pairs", orders, all, columns, cells), note(say("pairs.note")));
}

/** @returns {HTMLElement|null} */
function pricesPanel() {
  if (!has("price_history")) return null;
  const rows = rowsOf("price_history").filter((row) => row.price_change !== null)
    .sort((one, other) => (one.valid_from < other.valid_from ? 1 : one.valid_from > other.valid_from ? -1 : 0)
      || Math.abs(other.price_change_pct || 0) - Math.abs(one.price_change_pct || 0));
  if (!rows.length) return null;
  const up = rows.filter((row) => row.price_change > 0).length;
  const columns = [
    { title: say("product"), head: true }, { title: say("prices.price"), number: true },
    { title: say("change"), number: true },
  ];
  return panel("prices", "list",
    summary(say("prices.summary", { up, down: rows.length - up })),
    more((shown) => table(say("prices.title"), columns, rows.slice(0, shown).map((row) => [
      named(row.product_name, say("prices.from", { day: dayText(dayOf(row.valid_from), "short") })),
      named(money(row.unit_price), say("figure.before", { value: money(row.previous_unit_price) })),
      changeText(changeOf(row.unit_price, row.previous_unit_price), "money", 0)]), "fixed"), rows.length),
    note(say("prices.note")));
}
