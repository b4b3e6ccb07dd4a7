// The panels on customers, as they stand at the last day: segments and who comes back.

/** @param {string} name @returns {string} */
function segmentName(name) {
  return knows(`segment.${name}`) ? say(`segment.${name}`) : name;
}

/** @returns {HTMLElement|null} */
function segmentsPanel() {
  if (!has("customer_segments")) return null;
  const order = [
    "champion",
    "loyal",
    "at_risk",
    "new",
    "promising",
    "sleeping",
    "lost",
    "prospect",
  ];
  const place = (row) => (order.indexOf(row.segment) + order.length) % order.length;
  const all = rowsOf("customer_segments").sort((one, other) => place(one) - place(other));
  const customers = all.reduce((amount, row) => amount + row.customer_count, 0);
  const revenue = all.reduce((amount, row) => amount + row.net_amount, 0);
  const rows = all.flatMap((row) =>
    [
      ["customers", row.customer_count, customers],
      ["revenue", row.net_amount, revenue],
    ].map(([series, value, whole]) => ({
      name: segmentName(row.segment),
      series,
      share: ratio(value, whole) || 0,
      text: percent(ratio(value, whole)),
      series_text: say(`segments.${series}`),
      value: series === "revenue" ? money(value) : count(value),
    })),
  );
  const top = all.reduce((best, row) => (row.net_amount > best.net_amount ? row : best), all[0]);
  const told = say("segments.summary", {
    name: segmentName(top.segment),
    customers: percent(ratio(top.customer_count, customers)),
    revenue: percent(ratio(top.net_amount, revenue)),
  });
  const tooltip = [
    { field: "name", title: say("segments.segment") },
    { field: "series_text", title: say("segments.share") },
    { field: "text", title: say("share") },
    { field: "value", title: say("segments.value") },
  ];
  const columns = [
    { title: say("segments.segment"), head: true },
    { title: say("segments.customers"), number: true },
    { title: say("orders"), number: true },
    { title: say("revenue.now"), number: true },
    { title: say("segments.recency"), number: true },
  ];
  const meaning = (name) => (knows(`segment.${name}.means`) ? say(`segment.${name}.means`) : "");
  return panel(
    "segments",
    "half",
    summary(told),
    figure(
      `${say("segments.title")}. ${told}`,
      pairBarsSpec(rows, tooltip),
      legend([
        ["second", say("segments.share.customers")],
        ["accent", say("segments.share.revenue")],
      ]),
      folded(say("as_table"), say("segments.title"), columns, () =>
        all.map((row) => [
          named(segmentName(row.segment), meaning(row.segment)),
          count(row.customer_count),
          count(row.order_count),
          shortMoney(row.net_amount),
          row.average_recency_days === null
            ? "–"
            : say("segments.ago", { count: row.average_recency_days }),
        ]),
      ),
    ),
    note(say("segments.note")),
  );
}

/** Cohorts and months of the triangle; older ones would not fit. */
const MOST_COHORTS = 13;

/** @returns {HTMLElement|null} */
function retentionPanel() {
  if (!has("cohort_retention")) return null;
  const cells = new Map(
    rowsOf("cohort_retention").map((row) => [`${row.cohort_month} ${row.month_number}`, row]),
  );
  const sizes = new Map(
    rowsOf("cohort_retention").map((row) => [row.cohort_month, row.cohort_size]),
  );
  const last = DATA.last_day
    ? monthStart(dayOf(DATA.last_day))
    : Math.max(...[...sizes.keys()].map(dayOf));
  const monthEnds = DATA.last_day && addMonths(last, 1) - 1 === dayOf(DATA.last_day);
  const cohorts = [...sizes.keys()].sort().slice(-MOST_COHORTS);
  const age = (cohort) => {
    const [from, to] = [new Date(dayOf(cohort) * DAY_MS), new Date(last * DAY_MS)];
    return (
      (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth()
    );
  };
  const months = Math.min(Math.max(...cohorts.map(age)), MOST_COHORTS - 1);
  let [stayed, could] = [0, 0];
  for (const cohort of cohorts) {
    const running = age(cohort) === 1 && !monthEnds;
    if (age(cohort) < 1 || running) continue;
    could += sizes.get(cohort);
    stayed += (cells.get(`${cohort} 1`) || { customer_count: 0 }).customer_count;
  }
  const most = Math.max(
    1,
    ...[...cells.values()].filter((row) => row.month_number > 0).map((row) => row.retained_pct),
  );
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
    { title: say("retention.cohort"), head: true },
    { title: say("retention.size"), number: true },
    ...Array.from({ length: months + 1 }, (_, month) => ({ title: count(month), number: true })),
  ];
  const told = could
    ? say("retention.summary", { rate: percent(stayed / could) })
    : say("retention.too_young");
  return panel(
    "retention",
    "half",
    summary(told),
    table(
      say("retention.caption"),
      columns,
      cohorts.map((cohort) => [
        dayText(dayOf(cohort), "month"),
        count(sizes.get(cohort)),
        ...Array.from({ length: months + 1 }, (_, month) => cell(cohort, month)),
      ]),
      "triangle",
    ),
    note(
      say("retention.note"),
      monthEnds ? "" : ` ${say("retention.running")}`,
      cohorts.length < sizes.size ? ` ${say("retention.latest", { count: cohorts.length })}` : "",
    ),
  );
}
