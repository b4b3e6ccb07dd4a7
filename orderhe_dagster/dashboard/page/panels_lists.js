// The panels that are lists, as things stand at the last day: products, pairs and prices.

/** Rows of a long table that show before the rest is asked for. */
const FIRST_ROWS = 8;

/** @param {(count: number) => HTMLElement} make @param {number} all how many rows there are */
function more(make, all) {
  const place = el("div", {});
  const fill = (shown) => {
    const button =
      shown < all
        ? el(
            "button.more",
            {
              type: "button",
              onclick: () => {
                fill(all);
                place.querySelector(".scroll").focus();
              },
            },
            say("show_all", { count: all }),
          )
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
    place.replaceChildren(
      rows.length
        ? more(
            (shown) =>
              table(say(`${name}.${order}`), columns, rows.slice(0, shown).map(cells), "fixed"),
            rows.length,
          )
        : note(say("nothing_here")),
    );
  };
  show(options[0][0]);
  return [
    choices(
      el("fieldset", {}, el("legend.unseen", {}, say("order"))),
      `${name}-order`,
      options,
      options[0][0],
      show,
    ),
    place,
  ];
}

/** A name, with something smaller under it. @param {string|null} name @param {string} [under] */
function named(name, under) {
  return el(
    "span.named",
    {},
    el("span", {}, name || say("no_name")),
    under ? el("small", {}, under) : null,
  );
}

/** @returns {HTMLElement|null} */
function productsPanel() {
  if (!has("product_sales")) return null;
  const all = rowsOf("product_sales").map((row) => ({
    ...row,
    change: changeOf(row.recent_net_amount, row.previous_net_amount),
    difference: row.recent_net_amount - row.previous_net_amount,
  }));
  const orders = {
    best: (rows) => [...rows].sort((one, other) => other.recent_net_amount - one.recent_net_amount),
    rising: (rows) =>
      rows
        .filter((row) => row.difference > 0)
        .sort((one, other) => other.difference - one.difference),
    falling: (rows) =>
      rows
        .filter((row) => row.difference < 0)
        .sort((one, other) => one.difference - other.difference),
  };
  const top = orders.best(all)[0];
  const columns = [
    { title: say("product"), head: true },
    { title: say("products.recent"), number: true },
    { title: say("change"), number: true },
  ];
  const cells = (row) => [
    named(row.product_name, row.category),
    named(
      shortMoney(row.recent_net_amount),
      say("figure.before", { value: shortMoney(row.previous_net_amount) }),
    ),
    changeText(row.change, "money"),
  ];
  const told =
    top.recent_net_amount > 0
      ? say("products.summary", {
          name: top.product_name || say("no_name"),
          amount: shortMoney(top.recent_net_amount),
        })
      : say("nothing_sold");
  return panel(
    "products",
    "list",
    summary(told),
    ...orderedList("products", orders, all, columns, cells),
    note(say("products.note", { count: all.length })),
  );
}

/** @returns {HTMLElement|null} */
function pairsPanel() {
  if (!has("product_pairs")) return null;
  const all = rowsOf("product_pairs").sort(
    (one, other) => other.basket_count - one.basket_count || other.lift - one.lift,
  );
  const orders = {
    often: (rows) => rows,
    telling: (rows) => [...rows].sort((one, other) => other.lift - one.lift),
  };
  const lift = (value) =>
    format("NumberFormat", "lift", { maximumFractionDigits: 1, minimumFractionDigits: 1 }).format(
      value,
    );
  const columns = [
    { title: say("pairs.products"), head: true },
    { title: say("pairs.baskets"), number: true },
    { title: say("pairs.lift"), number: true },
  ];
  const cells = (row) => [
    named(row.product_name, `+ ${row.other_product_name || say("no_name")}`),
    count(row.basket_count),
    say("pairs.times", { times: lift(row.lift) }),
  ];
  const [top] = all;
  const names = {
    one: top.product_name || say("no_name"),
    other: top.other_product_name || say("no_name"),
  };
  return panel(
    "pairs",
    "list",
    summary(say("pairs.summary", { ...names, count: top.basket_count })),
    ...orderedList("pairs", orders, all, columns, cells),
    note(say("pairs.note")),
  );
}

/** @returns {HTMLElement|null} */
function pricesPanel() {
  if (!has("price_history")) return null;
  const rows = rowsOf("price_history")
    .filter((row) => row.price_change !== null)
    .sort(
      (one, other) =>
        (one.valid_from < other.valid_from ? 1 : one.valid_from > other.valid_from ? -1 : 0) ||
        Math.abs(other.price_change_pct || 0) - Math.abs(one.price_change_pct || 0),
    );
  if (!rows.length) return null;
  const up = rows.filter((row) => row.price_change > 0).length;
  // Of all products, where the data says so: the rows are only the biggest changes.
  const told = DATA.price_changes || { days: 60, up, down: rows.length - up };
  const columns = [
    { title: say("product"), head: true },
    { title: say("prices.price"), number: true },
    { title: say("change"), number: true },
  ];
  return panel(
    "prices",
    "list",
    summary(say("prices.summary", { ...told, count: told.days })),
    more(
      (shown) =>
        table(
          say("prices.title"),
          columns,
          rows
            .slice(0, shown)
            .map((row) => [
              named(
                row.product_name,
                say("prices.from", { day: dayText(dayOf(row.valid_from), "short") }),
              ),
              named(
                money(row.unit_price),
                say("figure.before", { value: money(row.previous_unit_price) }),
              ),
              changeText(changeOf(row.unit_price, row.previous_unit_price), "money", 0),
            ]),
          "fixed",
        ),
      rows.length,
    ),
    note(say("prices.note")),
  );
}
