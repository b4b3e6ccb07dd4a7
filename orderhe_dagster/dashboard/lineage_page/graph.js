"use strict";
// The graph: tables and columns, and what lies upstream and downstream. Knows nothing of the page.

/**
 * @typedef {{name: string, type: string, description: string, nullable: boolean, personal: boolean,
 *   line: number, from: string[]}} Column
 * @typedef {{id: string, layer: string, name: string, description: string, file: string, sql: string,
 *   grain: string[], partition: string|null, owner: string|null, freshness_hours: number|null,
 *   reads: string[], columns: Column[]}} Table
 * A node is a column, or a table as a whole (column null): its rows.
 * @typedef {{id: string, table: Table, column: Column|null}} GraphNode
 * @typedef {Map<string, Set<string>>} Edges
 */

const LAYERS = ["raw", "backup", "warehouse", "mart", "export"];

/** @type {{dashboard: boolean, tables: Table[]}} */
const DATA = JSON.parse(document.getElementById("data").textContent);

/** @type {Map<string, GraphNode>} */
const nodes = new Map();
/** @type {Edges} */
const upstream = new Map();
/** @type {Edges} */
const downstream = new Map();

for (const table of DATA.tables) {
  nodes.set(table.id, { id: table.id, table, column: null });
  for (const column of table.columns) {
    const id = `${table.id}.${column.name}`;
    nodes.set(id, { id, table, column });
  }
}
for (const id of nodes.keys()) {
  upstream.set(id, new Set());
  downstream.set(id, new Set());
}
for (const { id, table, column } of nodes.values()) {
  for (const source of column ? column.from : table.reads) {
    upstream.get(id).add(source);
    downstream.get(source).add(id);
  }
}

/**
 * Everything that can be reached from some nodes, themselves left out.
 * @param {Iterable<string>} starts @param {Edges} edges @returns {Set<string>}
 */
function reached(starts, edges) {
  const begun = new Set(starts);
  const found = new Set();
  const todo = [...begun];
  while (todo.length) {
    for (const next of edges.get(todo.pop())) {
      if (!found.has(next) && !begun.has(next)) {
        found.add(next);
        todo.push(next);
      }
    }
  }
  return found;
}

/**
 * The nearest nodes whose layer is shown: a hidden layer is passed through.
 * @param {string} id @param {Edges} edges @param {Set<string>} hidden @returns {Set<string>}
 */
function nearest(id, edges, hidden) {
  const found = new Set();
  const passed = new Set();
  const todo = [...edges.get(id)];
  while (todo.length) {
    const next = todo.pop();
    if (!hidden.has(nodes.get(next).table.layer)) found.add(next);
    else if (!passed.has(next)) {
      passed.add(next);
      todo.push(...edges.get(next));
    }
  }
  return found;
}

/**
 * What is chosen, what it comes from and what it goes into. A chosen table stands for its columns.
 * @param {string} id @returns {{self: Set<string>, up: Set<string>, down: Set<string>}}
 */
function pathOf(id) {
  const { table, column } = nodes.get(id);
  const self = new Set([id]);
  if (!column) for (const { name } of table.columns) self.add(`${id}.${name}`);
  return { self, up: reached(self, upstream), down: reached(self, downstream) };
}

/** Tables and columns whose name, or else description, holds every word asked for; the best first.
 * @param {string} asked @returns {GraphNode[]} */
function search(asked) {
  const words = asked.toLowerCase().split(/[\s.]+/).filter(Boolean);
  if (!words.length) return [];
  const last = words[words.length - 1];
  /** How far a node is from what was asked, null: it is not meant. @param {GraphNode} node */
  const distance = (node) => {
    const { name, description } = node.column || node.table;
    const id = node.id.toLowerCase();
    const elsewhere = words.filter((word) => !id.includes(word));
    if (!elsewhere.every((word) => description.toLowerCase().includes(word))) return null;
    const own = name.toLowerCase();
    const close = own === last ? 0 : own.startsWith(last) ? 2 : own.includes(last) ? 4 : 6;
    return 10 * elsewhere.length + close + (node.column ? 1 : 0);
  };
  return [...nodes.values()]
    .map((node) => ({ node, far: distance(node) }))
    .filter(({ far }) => far !== null)
    .sort((a, b) => a.far - b.far)
    .map(({ node }) => node);
}
