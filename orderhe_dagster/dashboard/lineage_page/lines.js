// The lines between cards: of the path that is chosen, else from table to table.

const SVG = "http://www.w3.org/2000/svg";
const TURN = 26; // pixels that a line within one layer goes out to the side

/** Draw the lines over the cards as they lie now. */
function drawLines() {
  const picture = document.getElementById("lines");
  const graph = document.getElementById("graph");
  const origin = graph.getBoundingClientRect();
  const width = graph.scrollWidth;
  const height = graph.scrollHeight;
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("width", String(width));
  picture.setAttribute("height", String(height));
  const path = chosenPath();
  /** @type {Map<string, SVGPathElement>} */
  const drawn = new Map();
  for (const [from, to, part] of links(path)) {
    const start = place(from), end = place(to);
    if (!start || !end || start === end) continue;
    const shape = curve(edges(start), edges(end), {
      x: origin.left - graph.scrollLeft,
      y: origin.top - graph.scrollTop,
    });
    if (drawn.has(shape)) continue;
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("d", shape);
    line.setAttribute("class", part);
    drawn.set(shape, line);
  }
  picture.replaceChildren(...drawn.values());
}

/** Pairs of nodes to join: from, to, and the part of the path that the line belongs to.
 * @param {ReturnType<typeof pathOf>|null} path @returns {Generator<[string, string, string]>} */
function* links(path) {
  for (const { id, table, column } of nodes.values()) {
    if (state.hidden.has(table.layer) || (!path && column)) continue;
    const part = partOf(path, id);
    if (path && !part) continue;
    for (const source of nearest(id, upstream, state.hidden)) {
      const other = partOf(path, source);
      if (!path) yield [source, id, ""];
      else if (part !== "down" && other === "up") yield [source, id, "up"];
      else if (part === "down" && (other === "down" || other === "self")) yield [source, id, "down"];
    }
  }
}

/** The row of a node; where it is folded, the name of its table. @param {string} id */
function place(id) {
  const { table } = nodes.get(id);
  return document.querySelector(`#stages [data-node="${CSS.escape(id)}"]`) ||
    document.querySelector(`#stages [data-node="${CSS.escape(table.id)}"]`);
}

/** Where lines meet a row: at its height, at the sides of its card. @param {Element} row */
function edges(row) {
  const { top, height } = row.getBoundingClientRect();
  const { left, right } = row.closest(".card").getBoundingClientRect();
  return { y: top + height / 2, left, right };
}

/** @typedef {ReturnType<typeof edges>} Edge
 * @param {Edge} start @param {Edge} end @param {{x: number, y: number}} origin */
function curve(start, end, origin) {
  const y1 = Math.round(start.y - origin.y);
  const y2 = Math.round(end.y - origin.y);
  const x2 = Math.round(end.left - origin.x) - 1;
  if (start.left === end.left) {
    const out = x2 - TURN; // the same layer: out to the left and back
    return `M${x2} ${y1}C${out} ${y1} ${out} ${y2} ${x2} ${y2}${tip(x2, y2)}`;
  }
  const x1 = Math.round(start.right - origin.x) + 1;
  const bend = Math.max(24, (x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}${tip(x2, y2)}`;
}

/** The arrow's head. @param {number} x @param {number} y */
function tip(x, y) {
  return `M${x - 5} ${y - 3.5}L${x} ${y}L${x - 5} ${y + 3.5}`;
}
