// The panels that follow the chosen range: figures, revenue, categories, orders, new and returning customers.

/** @param {Span} span @returns {HTMLElement[]} one card for each figure that the data can tell */
function cards(span) {
  const past = comparable(span);
  const [now, then] = [figuresOf(span), past && figuresOf(past)];
  const bars = buckets(span).map(figuresOf);
  return FIGURES.filter((each) => each.needs.every(has)).map(({ name, kind, good }) => {
    const value = now[name];
    const exact =
      kind === "money" && value !== null && Math.abs(value) >= 1_000_000 ? money(value) : null;
    const change = changeOf(value, then && then[name], kind === "rate");
    return el(
      "li.card",
      { id: `figure-${name}` },
      el("h3", {}, say(`figure.${name}`)),
      el("p.value", {}, written(kind, value)),
      el("p.exact", {}, exact || say(name === "revenue" ? revenueOf() : `figure.${name}.of`)),
      el(
        "p.against",
        {},
        then && then[name] !== null
          ? changeText(change, kind, good)
          : el("span.change.even", {}, say(past ? "change.none" : "change.no_past")),
        then && then[name] !== null
          ? el("span.was", {}, say("figure.before", { value: written(kind, then[name]) }))
          : null,
      ),
      spark(bars.map((bar) => bar[name])),
    );
  });
}

/** @returns {string} the word for what the shop leaves out of its revenue, by what it tells */
function revenueOf() {
  if (!has("daily_sales.gross_amount")) return "figure.revenue.of";
  const lost = ["cancelled", "returned"].filter((kind) => has(`daily_sales.${kind}_amount`));
  return lost.length === 2 ? "figure.revenue.of" : `figure.revenue.of.${lost[0] || "all"}`;
}

/** @param {Span} span @returns {HTMLElement} */
function revenuePanel(span) {
  const past = comparable(span);
  const bars = buckets(span);
  const rows = bars.map((bar) => {
    const shift = lengthOf(span);
    const earlier = past
      ? sum("daily_sales", "net_amount", { a: bar.a - shift, b: bar.b - shift })
      : null;
    const now = sum("daily_sales", "net_amount", bar);
    return {
      start: bar.a,
      end: bar.b + 1,
      now,
      past: earlier,
      whole: bar.whole,
      label: bucketText(bar),
      now_text: money(now),
      past_text: money(earlier),
      bar,
    };
  });
  const { unit } = bars[0];
  const best = rows.reduce((top, row) => (row.now > top.now ? row : top), rows[0]);
  const total = sum("daily_sales", "net_amount", span);
  const told = say("revenue.summary", {
    total: money(total),
    average: shortMoney(total / lengthOf(span)),
    best: best.label,
    amount: shortMoney(best.now),
    unit: say(`unit.${unit}.best`),
  });
  const titles = { now: say("revenue.now"), past: say("revenue.past"), bar: say(`unit.${unit}`) };
  const columns = [
    { title: titles.bar, head: true },
    { title: titles.now, number: true },
    ...(past ? [{ title: titles.past, number: true }] : []),
    { title: say("orders"), number: true },
  ];
  const spec = timeSpec(
    rows.map(({ bar, ...row }) => row),
    bars,
    titles,
  );
  return panel(
    "revenue",
    "wide",
    summary(told),
    figure(
      `${say("revenue.title")}. ${told}`,
      spec,
      legend([["accent", titles.now], ...(past ? [["dash", titles.past]] : [])]),
      bars.every((bar) => bar.whole) ? el("span", { hidden: true }) : note(say(`unit.${unit}.cut`)),
      folded(say("as_table"), say("revenue.title"), columns, () =>
        rows.map((row) => [
          row.label,
          row.now_text,
          ...(past ? [row.past_text] : []),
          count(sum("daily_sales", "order_count", row.bar)),
        ]),
      ),
    ),
  );
}

/** How many categories are drawn; the rest is one bar. */
const MOST_CATEGORIES = 12;

/** @param {Span} span @returns {HTMLElement|null} */
function categoriesPanel(span) {
  if (!has("category_sales")) return null;
  const past = comparable(span);
  const [now, then] = [categoryTotals(span), past ? categoryTotals(past) : null];
  const names = new Set([...now.keys(), ...(then ? then.keys() : [])]);
  const all = [...names]
    .map((name) => ({
      name: name || say("no_name"),
      now: now.get(name) || 0,
      past: then ? then.get(name) || 0 : null,
    }))
    .sort((one, other) => other.now - one.now || (one.name < other.name ? -1 : 1));
  const total = all.reduce((amount, row) => amount + row.now, 0);
  const shown = all.length > MOST_CATEGORIES ? all.slice(0, MOST_CATEGORIES - 1) : [...all];
  const rest = all.slice(shown.length);
  if (rest.length) {
    shown.push({
      name: say("categories.rest", { count: rest.length }),
      now: rest.reduce((amount, row) => amount + row.now, 0),
      past: then ? rest.reduce((amount, row) => amount + row.past, 0) : null,
    });
  }
  const share = (row) => percent(ratio(row.now, total));
  const drawnRows = shown.map((row) => ({
    ...row,
    text: compactMoney(row.now),
    now_text: money(row.now),
    past_text: money(row.past),
    share: share(row),
  }));
  const told =
    all.length && total
      ? say("categories.summary", { name: all[0].name, share: share(all[0]), count: all.length })
      : say("nothing_sold");
  const tooltip = [
    { field: "name", title: say("category") },
    { field: "now_text", title: say("revenue.now") },
    { field: "share", title: say("share") },
    ...(then ? [{ field: "past_text", title: say("revenue.past") }] : []),
  ];
  const columns = [
    { title: say("category"), head: true },
    { title: say("revenue.now"), number: true },
    { title: say("share"), number: true },
    ...(then ? [{ title: say("change"), number: true }] : []),
  ];
  return panel(
    "categories",
    "half",
    summary(told),
    all.length
      ? figure(
          `${say("categories.title")}. ${told}`,
          barsSpec(drawnRows, tooltip),
          legend([
            ["accent", say("revenue.now")],
            ...(then ? [["tick", say("revenue.past")]] : []),
          ]),
          folded(say("as_table"), say("categories.title"), columns, () =>
            all.map((row) => [
              row.name,
              money(row.now),
              share(row),
              ...(then ? [changeText(changeOf(row.now, row.past), "money")] : []),
            ]),
          ),
        )
      : null,
  );
}

/** @param {Span} span @returns {HTMLElement|null} */
function funnelPanel(span) {
  if (!has("order_funnel")) return null;
  const of = (step) => sum("order_funnel", `${step}_count`, span);
  const placed = of("placed");
  const tones = {
    placed: "accent",
    shipped: "accent",
    delivered: "accent",
    waiting: "before",
    cancelled: "second",
    returned: "second",
  };
  const steps = Object.keys(tones).filter((step) => has(`order_funnel.${step}_count`));
  const rows = steps.map((step) => {
    const now = of(step);
    const share = percent(ratio(now, placed));
    return {
      name: say(`funnel.${step}`),
      now,
      past: null,
      tone: tones[step],
      share,
      text: `${count(now)} · ${share}`,
      now_text: count(now),
    };
  });
  const row = (step) => rows[steps.indexOf(step)];
  const cancelled = row("cancelled").share;
  const told = !placed
    ? say("nothing_sold")
    : steps.length === Object.keys(tones).length
      ? say("funnel.summary", {
          delivered: row("delivered").share,
          cancelled,
          count: row("waiting").now,
        })
      : say("funnel.summary.short", { cancelled });
  const tooltip = [
    { field: "name", title: say("funnel.step") },
    { field: "now_text", title: say("orders") },
    { field: "share", title: say("funnel.share") },
  ];
  const columns = [
    { title: say("funnel.step"), head: true },
    { title: say("orders"), number: true },
    { title: say("funnel.share"), number: true },
  ];
  const spec = barsSpec(rows, tooltip, {
    height: 34,
    room: 104,
    colours: ["accent", "before", "second"],
  });
  return panel(
    "funnel",
    "narrow",
    summary(told),
    figure(
      `${say("funnel.title")}. ${told}`,
      spec,
      el("span", { hidden: true }),
      folded(say("as_table"), say("funnel.title"), columns, () =>
        rows.map((row) => [row.name, row.now_text, row.share]),
      ),
    ),
    note(say("funnel.note")),
  );
}

/** @param {Span} span @returns {HTMLElement|null} */
function customersPanel(span) {
  if (!has("daily_customers")) return null;
  const bars = buckets(span);
  const of = (column, bar) => sum("daily_customers", column, bar);
  const lines = bars.map((bar) => ({
    bar,
    label: bucketText(bar),
    first: of("first_order_count", bar),
    repeat: of("repeat_order_count", bar),
    fresh: of("new_customer_count", bar),
  }));
  const rows = lines.flatMap(({ bar, label, first, repeat }) =>
    [
      ["repeat", repeat, 0],
      ["first", first, 1],
    ].map(([series, orders, layer]) => ({
      start: bar.a,
      end: bar.b + 1,
      label,
      series,
      layer,
      orders,
      series_text: say(`customers.${series}`),
      text: count(orders),
    })),
  );
  const total = (name) => lines.reduce((amount, line) => amount + line[name], 0);
  const rate = ratio(total("repeat"), total("repeat") + total("first"));
  const told =
    rate === null
      ? say("nothing_sold")
      : say("customers.summary", { count: total("fresh"), rate: percent(rate) });
  const titles = {
    bar: say(`unit.${bars[0].unit}`),
    series: say("customers.kind"),
    orders: say("orders"),
  };
  const columns = [
    { title: titles.bar, head: true },
    { title: say("customers.repeat"), number: true },
    { title: say("customers.first"), number: true },
    { title: say("customers.new"), number: true },
  ];
  return panel(
    "customers",
    "half",
    summary(told),
    figure(
      `${say("customers.title")}. ${told}`,
      stackSpec(rows, bars, titles),
      legend([
        ["second", say("customers.first")],
        ["accent", say("customers.repeat")],
      ]),
      folded(say("as_table"), say("customers.title"), columns, () =>
        lines.map((line) => [line.label, count(line.repeat), count(line.first), count(line.fresh)]),
      ),
    ),
  );
}
