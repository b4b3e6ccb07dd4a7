// What the charts show: Vega-Lite specs made of rows. Words and numbers arrive written.

/** Offsets that leave a hair between bars. @param {number} bars */
function gap(bars) {
  return bars > 120 ? 0 : bars > 45 ? 0.5 : bars > 20 ? 1 : 2;
}

/** The axis along the days. @param {Bucket[]} all */
function dayAxis(all) {
  const months = all.length > 0 && all[0].unit === "month";
  const values = all.length <= 8 ? all.map((each) => each.a * DAY_MS) : undefined;
  const middle = values && values.length > 1 ? 0 : undefined;
  return {
    type: "temporal", scale: { type: "utc", nice: false }, title: null,
    axis: {
      formatType: months ? "axisMonth" : "axisDay", grid: false, labelOverlap: "greedy",
      labelFlush: true, values, tickCount: { expr: "max(2, floor(width / 90))" }, bandPosition: middle,
    },
  };
}

/**
 * Bars over time, with the period before as a line over each.
 * @param {{start: number, end: number, now: number, past: number|null, whole: boolean, label: string,
 *   now_text: string, past_text: string}[]} rows
 * @param {Bucket[]} all @param {{now: string, past: string, bar: string}} titles
 */
function timeSpec(rows, all, titles) {
  const x = { field: "start", ...dayAxis(all) };
  const tooltip = [
    { field: "label", title: titles.bar }, { field: "now_text", title: titles.now },
    ...(rows.some((row) => row.past !== null) ? [{ field: "past_text", title: titles.past }] : []),
  ];
  const inset = gap(rows.length);
  return {
    height: 260, data: { values: rows },
    encoding: { x, x2: { field: "end" } },
    layer: [
      {
        mark: { type: "bar", orient: "vertical", xOffset: inset, x2Offset: -inset, cornerRadiusEnd: rows.length < 46 ? 2 : 0, aria: false },
        encoding: {
          y: { field: "now", type: "quantitative", title: null, axis: { formatType: "axisMoney", tickCount: 5 } },
          fillOpacity: { condition: { test: "datum.whole", value: 1 }, value: 0.55 },
          tooltip,
        },
      },
      {
        transform: [{ filter: "isValid(datum.past)" }],
        mark: { type: "rule", orient: "horizontal", strokeWidth: 2, color: "var(--before)", xOffset: inset, x2Offset: -inset, aria: false },
        encoding: { y: { field: "past", type: "quantitative" }, tooltip },
      },
    ],
  };
}

/** Stacked bars over time: new customers' orders above those of returning ones. */
function stackSpec(rows, all, titles) {
  const inset = gap(all.length);
  return {
    height: 220, data: { values: rows },
    mark: { type: "bar", orient: "vertical", xOffset: inset, x2Offset: -inset, aria: false },
    encoding: {
      x: { field: "start", ...dayAxis(all) }, x2: { field: "end" },
      y: { field: "orders", type: "quantitative", title: null, stack: "zero", axis: { formatType: "axisCount", tickCount: 5 } },
      color: {
        field: "series", type: "nominal", legend: null,
        scale: { domain: ["first", "repeat"], range: ["var(--second)", "var(--accent)"] },
      },
      order: { field: "layer" },
      tooltip: [
        { field: "label", title: titles.bar }, { field: "series_text", title: titles.series },
        { field: "text", title: titles.orders },
      ],
    },
  };
}

/**
 * Lying bars with their value written behind, and the period before as a tick.
 * @param {{name: string, now: number, past?: number|null, text: string}[]} rows in order, each name once
 * @param {{height?: number, label?: number, colours?: string[]}} [look]
 */
function barsSpec(rows, tooltip, look = {}) {
  const most = Math.max(0, ...rows.map((row) => Math.max(row.now, row.past || 0)));
  const least = Math.min(0, ...rows.map((row) => row.now));
  const y = {
    field: "name", type: "nominal", sort: null, title: null,
    axis: { labelLimit: look.label || 130, labelColor: "var(--ink)", labelPadding: 6 },
  };
  const x = {
    field: "now", type: "quantitative", title: null, axis: null,
    // Room on the right for the text behind the longest bar.
    scale: { domain: [least, most || 1], range: [0, { expr: "max(60, width - 92)" }] },
  };
  return {
    height: rows.length * (look.height || 30), data: { values: rows }, encoding: { y },
    layer: [
      { mark: { type: "bar", height: { band: 0.62 }, cornerRadiusEnd: 2, aria: false },
        encoding: { x, tooltip, color: look.colours ? { field: "tone", type: "nominal", legend: null,
          scale: { domain: look.colours, range: look.colours.map((name) => `var(--${name})`) } } : { value: "var(--accent)" } } },
      { transform: [{ filter: "isValid(datum.past)" }],
        mark: { type: "tick", thickness: 2, color: "var(--before)", height: { band: 0.9 }, aria: false },
        encoding: { x: { ...x, field: "past" }, tooltip } },
      { mark: { type: "text", align: "left", dx: 6, aria: false },
        encoding: { x: { ...x, field: "end" }, text: { field: "text" } } },
    ],
  };
}

/** Two lying bars for each segment: its share of the customers and of the revenue. */
function pairBarsSpec(rows, tooltip) {
  return {
    height: rows.length * 18, data: { values: rows },
    encoding: {
      y: { field: "name", type: "nominal", sort: null, title: null, scale: { paddingInner: 0.35 },
        axis: { labelLimit: 130, labelColor: "var(--ink)", labelPadding: 6 } },
      yOffset: { field: "series", sort: null },
      x: { field: "share", type: "quantitative", title: null, axis: null,
        scale: { zero: true, range: [0, { expr: "max(60, width - 56)" }] } },
    },
    layer: [
      { mark: { type: "bar", cornerRadiusEnd: 2, aria: false },
        encoding: { tooltip, color: { field: "series", type: "nominal", legend: null,
          scale: { domain: ["customers", "revenue"], range: ["var(--second)", "var(--accent)"] } } } },
      { mark: { type: "text", align: "left", dx: 6, fontSize: 11, aria: false }, encoding: { text: { field: "text" } } },
    ],
  };
}
