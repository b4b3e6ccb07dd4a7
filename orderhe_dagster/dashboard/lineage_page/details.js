// What is chosen, in words: its meaning, type and SQL, and what it comes from and goes into as lists.

/** Draw what is known of the chosen node; nothing where none is. */
function drawDetails() {
  const box = document.getElementById("chosen");
  const node = nodes.get(state.chosen);
  box.hidden = !node;
  box.replaceChildren();
  if (!node) return;
  const { table, column } = node;
  const about = column
    ? word("column_of", { table: table.id })
    : word("table_of", { layer: word(table.layer) });
  box.append(
    element("p", { class: "about" }, about),
    element("h2", { id: "chosen-name" }, column ? column.name : table.id),
    element("a", { class: "close", href: address({ chosen: "" }) }, word("close")),
    ...paragraphs((column || table).description),
  );
  box.setAttribute("aria-labelledby", "chosen-name");
  if (column) box.append(...columnFacts(node));
  else box.append(tableFacts(table), columnList(table));
  const origin = column ? column : table;
  box.append(
    ...paths("upstream", node.id, upstream),
    ...paths("downstream", node.id, downstream),
  );
  if (!column && table.sql) {
    box.append(element("details", {}, element("summary", {}, word("sql")),
      element("pre", { tabindex: "0", "aria-label": word("sql") }, `${origin.sql};`)));
  }
}

/** @param {GraphNode} node @returns {HTMLElement[]} */
function columnFacts({ id, table, column }) {
  const told = [];
  if (column.personal) {
    const counted = [...reached([id], downstream)]
      .some((other) => ["mart", "export"].includes(nodes.get(other).table.layer));
    told.push(element("p", { class: "told" }, personalMark(),
      word(counted ? "personal_counted" : "personal_told")));
  }
  if (["backup", "warehouse"].includes(table.layer) && !table.sql)
    told.push(element("p", { class: "told" }, word("carried", { table: table.reads[0] })));
  else if (table.reads.length && column.from.every((source) => !nodes.get(source).column))
    told.push(element("p", { class: "told" },
      word("rows_made", { tables: column.from.join(", ") })));
  const facts = [
    [word("type"), code(column.type)],
    [word("empty"), word(column.nullable ? "yes" : "no")],
  ];
  if (column.line) {
    facts.push([word("file"), code(word("line", { file: table.file, line: column.line }))]);
    facts.push([word(table.layer === "raw" ? "declared" : "computed"), code(written(table, column))]);
  }
  return [...told, list(facts)];
}

/** The lines of SQL that write a column: after the column before it, down to its own.
 * @param {Table} table @param {Column} column */
function written(table, column) {
  const lines = table.sql.split("\n");
  const before = table.columns
    .map(({ line }) => line)
    .filter((line) => line < column.line)
    .reduce((last, line) => Math.max(last, line), 0);
  const first = before || column.line - 1;
  const code = lines.slice(first, column.line).map((line) => line.replace(/\s+--\s.*$/, ""));
  const indent = Math.min(...code.map((line) => line.search(/\S|$/)));
  return code.map((line) => line.slice(indent)).join("\n").replace(/,\s*$/, "");
}

/** @param {Table} table */
function tableFacts(table) {
  const facts = [];
  if (table.grain.length) facts.push([word("grain"), code(table.grain.join(", "))]);
  if (table.partition) facts.push([word("partition"), code(table.partition)]);
  if (table.owner) facts.push([word("owner"), table.owner]);
  if (table.freshness_hours)
    facts.push([word("freshness"), word("hours", { n: count(table.freshness_hours) })]);
  facts.push([word("file"), code(table.file)]);
  return list(facts);
}

/** @param {Table} table */
function columnList(table) {
  const items = table.columns.map((column) => {
    const link = choosing(`${table.id}.${column.name}`, column.name);
    if (column.personal) link.append(personalMark());
    return element("li", {}, link, " ", element("code", { class: "quiet" }, column.type),
      element("span", { class: "quiet" }, column.description));
  });
  return element("details", { open: true },
    element("summary", {}, `${word("its_columns")} (${count(items.length)})`),
    element("ul", { class: "column-list" }, ...items));
}

/** One direction as nested lists. @param {"upstream"|"downstream"} key @param {string} id
 * @param {Edges} edges @returns {HTMLElement[]} */
function paths(key, id, edges) {
  const heading = element("h3", {}, word(key));
  if (!edges.get(id).size) return [heading, element("p", { class: "quiet" }, word(`${key}_none`))];
  return [heading, tree(id, edges, new Set([id]))];
}

/** @param {string} id @param {Edges} edges @param {Set<string>} seen */
function tree(id, edges, seen) {
  const { column } = nodes.get(id);
  // Of a table, tables are listed; of a column, columns and the tables whose rows it counts.
  const next = [...edges.get(id)].filter((other) => column || !nodes.get(other).column);
  return element("ul", { class: "tree" }, ...next.map((other) => {
    const isNew = !seen.has(other);
    seen.add(other);
    const node = nodes.get(other);
    const rows = column && !node.column;
    const link = choosing(other, ...(node.column
      ? [element("span", { class: "quiet" }, ...breakable(`${node.table.id}.`)),
        ...breakable(node.column.name)]
      : breakable(rows ? word("rows_of", { table: other }) : other)));
    if (node.column && node.column.personal) link.append(personalMark());
    const item = element("li", {}, link);
    const further = [...edges.get(other)].some((far) => node.column || !nodes.get(far).column);
    if (further) item.append(isNew ? tree(other, edges, seen) : ` ${word("seen")}`);
    return item;
  }));
}

/** @param {Array<Array<string|HTMLElement>>} facts */
function list(facts) {
  return element("dl", {}, ...facts.map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

/** @param {string} text */
function code(text) {
  return element("code", {}, text);
}
