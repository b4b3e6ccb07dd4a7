// Drawing with Vega: the look that all charts share, and when they are drawn. What they show: specs.js.

const FONT =
  "system-ui, -apple-system, 'Segoe UI', 'Apple SD Gothic Neo', 'Malgun Gothic', " +
  "'Noto Sans KR', 'Noto Sans CJK KR', sans-serif";

/** Colours are the page's own variables, so that charts follow the scheme and the printer by themselves. */
const LOOK = {
  background: null,
  font: FONT,
  customFormatTypes: true,
  padding: { left: 2, right: 6, top: 6, bottom: 2 },
  view: { stroke: null },
  aria: true,
  axis: {
    labelColor: "var(--muted)",
    labelFontSize: 12,
    titleColor: "var(--muted)",
    titleFontSize: 12,
    titleFontWeight: "normal",
    gridColor: "var(--line)",
    domain: false,
    ticks: false,
    labelPadding: 8,
    aria: false,
  },
  text: { fontSize: 12, fill: "var(--ink)" },
  bar: { color: "var(--accent)" },
};

/** @type {WeakMap<Element, {token: number, result: any}>} what stands in an element */
const drawn = new WeakMap();
/** @type {Set<Promise<any>>} */
const drawing = new Set();

/** How Vega writes numbers and days: as the page does. */
const WRITERS = {
  axisMoney: (value) => compactMoney(value),
  axisCount: (value) => shortCount(value),
  axisDay: (value) => dayText(Math.floor(value), "short"),
  // Of the middle of a week, its first day; the first week may be shorter.
  axisWeek: (value, first) => dayText(Math.max(Math.floor(value - 3), Number(first)), "short"),
  axisMonth: (value) => dayText(Math.floor(value), "month"),
};

/**
 * Draw a chart into an element, instead of what stands there. It fills the element's width.
 * @param {HTMLElement} into @param {Object<string, any>} spec Vega-Lite
 * @param {string} told what a screen reader says
 */
function draw(into, spec, told) {
  const last = drawn.get(into) || { token: 0, result: null };
  const mine = { token: last.token + 1, result: last.result };
  drawn.set(into, mine);
  const whole = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: "container",
    autosize: { type: "fit-x", contains: "padding" },
    description: told,
    config: LOOK,
    ...spec,
  };
  const options = {
    renderer: "svg",
    actions: false,
    mode: "vega-lite",
    tooltip: { theme: "custom" },
    expressionFunctions: WRITERS,
    ast: true, // expressions are interpreted: the page's policy forbids eval
  };
  const done = window.vegaEmbed(into, whole, options).then((result) => {
    if (drawn.get(into) !== mine) return result.finalize();
    if (last.result) last.result.finalize();
    mine.result = result;
    return undefined;
  });
  drawing.add(done);
  done.finally(() => drawing.delete(done));
}

/** Let go of the charts inside an element that is about to be emptied. @param {Element} inside */
function forget(inside) {
  inside.querySelectorAll(".chart").forEach((each) => {
    const known = drawn.get(each);
    if (known && known.result) known.result.finalize();
    drawn.delete(each);
  });
}

/** Fulfilled when every chart that was asked for is drawn. @returns {Promise<void>} */
async function allDrawn() {
  while (drawing.size) await Promise.all(drawing);
}

/**
 * A chart with what it says and its figures as a table.
 * @param {string} told @param {Object<string, any>} spec
 * @param {Node[]} others legend and table, above and below
 */
function figure(told, spec, ...others) {
  const chart = el("div.chart", {});
  const [above, ...below] = others;
  const made = el("figure", {}, above, chart, ...below);
  queueMicrotask(() => draw(chart, spec, told));
  return made;
}

/** A small line without axes, for the eye only. @param {(number|null)[]} values @returns {Element} */
function spark(values) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const known = values.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
  const [low, high] = [
    Math.min(0, ...known.map((each) => each.value)),
    Math.max(0, ...known.map((each) => each.value)),
  ];
  const across = (index) => ((index / Math.max(values.length - 1, 1)) * 100).toFixed(1);
  const up = (value) => (22 - ((value - low) / (high - low || 1)) * 20).toFixed(1);
  const points =
    known.length > 1
      ? known.map(({ value, index }) => `${across(index)},${up(value)}`).join(" ")
      : "";
  svg.setAttribute("viewBox", "0 0 100 24");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "spark");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(svg.namespaceURI, "polyline");
  line.setAttribute("points", points);
  svg.append(line);
  return svg;
}
