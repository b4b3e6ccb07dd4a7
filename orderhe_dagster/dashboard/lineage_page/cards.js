// The five layers and their tables as cards. Lines between them are drawn in lines.js.

const UNFOLDED_ROWS = 30; // a catalogue whose fullest layer has no more columns shows them all at once

/** Whether all cards list their columns; unless the reader said otherwise, where there are few. */
let unfolded = LAYERS.every((layer) => {
  const rows = DATA.tables.filter((table) => table.layer === layer);
  return rows.reduce((sum, table) => sum + table.columns.length, 0) <= UNFOLDED_ROWS;
});
/** Tables whose fold differs from `unfolded`. @type {Set<string>} */
const turned = new Set();

/** The path of what is chosen, null where nothing is. @returns {ReturnType<typeof pathOf>|null} */
function chosenPath() {
  return nodes.has(state.chosen) ? pathOf(state.chosen) : null;
}

/** Which part of the path a node is: self, up, down or "".
 * @param {ReturnType<typeof pathOf>|null} path @param {string} id */
function partOf(path, id) {
  if (!path) return "";
  return path.self.has(id) ? "self" : path.up.has(id) ? "up" : path.down.has(id) ? "down" : "";
}

/** Draw every layer that is shown. */
function drawCards() {
  const path = chosenPath();
  const stages = document.getElementById("stages");
  stages.replaceChildren(
    ...LAYERS.filter((layer) => !state.hidden.has(layer)).map((layer) => stage(layer, path)),
  );
  document.getElementById("graph").classList.toggle("focused", path !== null);
}

/** @param {string} layer @param {ReturnType<typeof pathOf>|null} path */
function stage(layer, path) {
  const all = DATA.tables.filter((table) => table.layer === layer);
  const related = path ? all.filter((table) => isRelated(table, path)) : all;
  const box = element("section", { class: "stage", "data-layer": layer, "aria-label": word(layer) },
    element("h2", {}, word(layer), element("small", {}, word(`${layer}_is`))));
  box.append(...related.map((table) => card(table, path)));
  if (path && !related.length) box.append(element("p", { class: "none" }, whyNone(layer)));
  return box;
}

/** Why a layer has nothing of the path. @param {string} layer */
function whyNone(layer) {
  const { table, column } = nodes.get(state.chosen);
  if (LAYERS.indexOf(layer) < LAYERS.indexOf(table.layer)) return word("nothing_up");
  return word(column && column.personal ? "personal_ends" : "nothing_down");
}

/** @param {Table} table @param {ReturnType<typeof pathOf>} path */
function isRelated(table, path) {
  return [table.id, ...table.columns.map(({ name }) => `${table.id}.${name}`)]
    .some((id) => partOf(path, id));
}

/** @param {Table} table @param {ReturnType<typeof pathOf>|null} path */
function card(table, path) {
  const open = unfolded !== turned.has(table.id);
  const ids = table.columns.map(({ name }) => `${table.id}.${name}`);
  const onPath = ids.filter((id) => partOf(path, id));
  const listed = open || state.chosen === table.id ? ids : onPath;
  const part = path ? partOf(path, table.id) : "";
  const box = element("article", { class: `card ${part}`, "data-table": table.id },
    element("h3", { "data-node": table.id, class: part }, choosing(table.id, ...breakable(table.name))));
  const list = element("ul", { id: `columns-${table.id}`, hidden: !listed.length },
    ...listed.map((id) => row(nodes.get(id), partOf(path, id))));
  const others = ids.length - (path ? onPath.length : 0);
  const button = others && state.chosen !== table.id ? [fold(table, list.id, open, others, !!path)] : [];
  if (path) box.append(list, ...button);
  else box.append(...button, element("p", { class: "purpose" }, firstSentence(table.description)), list);
  return box;
}

/** The button that lists or folds a card's other columns. @param {Table} table @param {string} list
 * @param {boolean} open @param {number} others @param {boolean} focused */
function fold(table, list, open, others, focused) {
  const all = others === 1 ? word("column_one") : word("columns", { n: count(others) });
  const text = open ? word("less") : focused ? word("more", { n: count(others) }) : all;
  return element("button", {
    type: "button",
    class: "fold",
    "aria-expanded": String(open),
    "aria-controls": list,
    "aria-label": `${table.name}: ${text}`,
    "data-fold": table.id,
    click: () => {
      if (!turned.delete(table.id)) turned.add(table.id);
      draw();
    },
  }, text);
}

/** @param {GraphNode} node @param {string} part */
function row(node, part) {
  const { column } = node;
  const link = choosing(node.id, element("span", { class: "name" }, column.name));
  if (column.personal) link.append(personalMark());
  link.title = [column.type, column.description].filter(Boolean).join(" · ");
  return element("li", { "data-node": node.id, class: part }, link);
}

