// What the charts show: Vega-Lite specs made of rows. Words and numbers arrive written.

/** Offsets that leave a hair between bars. @param {number} bars */
function gap(bars) {
  return bars > 120 ? 0 : bars > 45 ? 0.5 : bars > 20 ? 1 : 2;
}

/** The axis along the days: labels under the middle of bars, as many as fit. @param {Bucket[]} all */
function dayAxis(all) {
  const formats = { day: "axisDay", week: "axisWeek", month: "axisMonth" };
  return {
    // Days as plain numbers: Vega's interpreter gives a time axis no labels where its values are named.
    type: "quantitative",
    title: null,
    scale: { zero: false, nice: false, domain: [all[0].a, all[all.length - 1].b + 1] },
    axis: {
      formatType: formats[all[0].unit],
      format: String(all[0].a),
      values: all.map((bar) => (bar.a + bar.b + 1) / 2),
      grid: false,
      labelOverlap: "greedy",
      labelSeparation: 14,
    },
  };
}

/** The mark of the period before: a line with a halo, so that it is seen on a bar and beside it. */
function pastMarks(rows, mark, width, encoding) {
  if (rows.every((row) => row.past === null || row.past === undefined)) return [];
  const filter = [{ filter: "isValid(datum.past)" }];
  return [
    ["var(--surface)", width + 4],
    ["var(--before)", width],
  ].map(([color, thickness]) => ({
    transform: filter,
    encoding,
    mark: { ...mark, color, strokeWidth: thickness, aria: false },
  }));
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
    { field: "label", title: titles.bar },
    { field: "now_text", title: titles.now },
    ...(rows.some((row) => row.past !== null) ? [{ field: "past_text", title: titles.past }] : []),
  ];
  const inset = gap(rows.length);
  return {
    height: 260,
    data: { values: rows },
    encoding: { x, x2: { field: "end" } },
    layer: [
      {
        mark: {
          type: "bar",
          orient: "vertical",
          xOffset: inset,
          x2Offset: -inset,
          cornerRadiusEnd: rows.length < 46 ? 2 : 0,
          aria: false,
        },
        encoding: {
          y: {
            field: "now",
            type: "quantitative",
            title: null,
            axis: { formatType: "axisMoney", tickCount: 5 },
          },
          y2: { datum: 0 },
          fillOpacity: { condition: { test: "datum.whole", value: 1 }, value: 0.55 },
          tooltip,
        },
      },
      ...pastMarks(
        rows,
        { type: "rule", orient: "horizontal", xOffset: inset, x2Offset: -inset },
        2,
        { y: { field: "past", type: "quantitative" }, tooltip },
      ),
    ],
  };
}

/** Stacked bars over time: new customers' orders above those of returning ones. */
function stackSpec(rows, all, titles) {
  const inset = gap(all.length);
  return {
    height: 220,
    data: { values: rows },
    mark: { type: "bar", orient: "vertical", xOffset: inset, x2Offset: -inset, aria: false },
    encoding: {
      x: { field: "start", ...dayAxis(all) },
      x2: { field: "end" },
      y: {
        field: "orders",
        type: "quantitative",
        title: null,
        stack: "zero",
        axis: { formatType: "axisCount", tickCount: 5 },
      },
      color: {
        field: "series",
        type: "nominal",
        legend: null,
        scale: { domain: ["first", "repeat"], range: ["var(--second)", "var(--accent)"] },
      },
      order: { field: "layer" },
      tooltip: [
        { field: "label", title: titles.bar },
        { field: "series_text", title: titles.series },
        { field: "text", title: titles.orders },
      ],
    },
  };
}

/**
 * Lying bars with their values in a column on the right, and the period before as a tick.
 * @param {{name: string, now: number, past?: number|null, text: string}[]} rows in order, each name once
 * @param {{height?: number, label?: number, room?: number, colours?: string[]}} [look]
 */
function barsSpec(rows, tooltip, look = {}) {
  const most = Math.max(0, ...rows.map((row) => Math.max(row.now, row.past || 0)));
  const least = Math.min(0, ...rows.map((row) => row.now));
  const y = {
    field: "name",
    type: "nominal",
    sort: null,
    title: null,
    axis: { labelLimit: look.label || 130, labelColor: "var(--ink)", labelPadding: 6 },
  };
  const x = {
    field: "now",
    type: "quantitative",
    title: null,
    axis: null,
    // Room on the right for the values, which stand in a column.
    scale: {
      domain: [least, most || 1],
      range: [0, { expr: `max(60, width - ${look.room || 84})` }],
    },
  };
  return {
    height: rows.length * (look.height || 30),
    data: { values: rows },
    encoding: { y },
    layer: [
      {
        mark: { type: "bar", height: { band: 0.62 }, cornerRadiusEnd: 2, aria: false },
        encoding: {
          x,
          tooltip,
          color: look.colours
            ? {
                field: "tone",
                type: "nominal",
                legend: null,
                scale: {
                  domain: look.colours,
                  range: look.colours.map((name) => `var(--${name})`),
                },
              }
            : { value: "var(--accent)" },
        },
      },
      ...pastMarks(rows, { type: "rule", yOffset: -11, y2Offset: 11 }, 2, {
        x: { ...x, field: "past" },
        y: { ...y, bandPosition: 0.5 },
        y2: { field: "name", bandPosition: 0.5 },
        tooltip,
      }),
      {
        mark: { type: "text", align: "right", aria: false },
        encoding: { x: { value: "width" }, text: { field: "text" } },
      },
    ],
  };
}

/** Two lying bars for each segment: its share of the customers and of the revenue. */
function pairBarsSpec(rows, tooltip) {
  return {
    height: rows.length * 21,
    data: { values: rows },
    encoding: {
      y: {
        field: "name",
        type: "nominal",
        sort: null,
        title: null,
        scale: { paddingInner: 0.35 },
        axis: { labelLimit: 130, labelColor: "var(--ink)", labelPadding: 6 },
      },
      yOffset: { field: "series", sort: null },
      x: {
        field: "share",
        type: "quantitative",
        title: null,
        axis: null,
        scale: { zero: true, range: [0, { expr: "max(60, width - 56)" }] },
      },
    },
    layer: [
      {
        mark: { type: "bar", cornerRadiusEnd: 2, aria: false },
        encoding: {
          tooltip,
          color: {
            field: "series",
            type: "nominal",
            legend: null,
            scale: { domain: ["customers", "revenue"], range: ["var(--second)", "var(--accent)"] },
          },
        },
      },
      {
        mark: { type: "text", align: "left", dx: 6, fontSize: 11, aria: false },
        encoding: { text: { field: "text" } },
      },
    ],
  };
}
