// Owns how a history is drawn: rows to the options of ECharts. Pure but for the colours, which are those of the page.
export { echarts } from "nicegui-echart";

// A row: [at, min, max, last, pool or null, demo, counted of factor 1, …]; instants are milliseconds since 1970.
export const [AT, MIN, MAX, LAST, POOL, DEMO, FACTOR] = [0, 1, 2, 3, 4, 5, 6];
const LICENSED = "Currently Licensed";
const BAND = "Minimum to maximum";
const OVER = "Over the pool";
const ACQUIRED = "Pool (Acquired Licenses)";
const SETTINGS = "Settings changed";
const POINTS = "points";
const SHORT = { dateStyle: "medium", timeStyle: "short" };

export const local = (ms) => new Date(ms).toLocaleString(undefined, SHORT);
const number = (value) => value.toLocaleString();

export function colours() {
  const style = getComputedStyle(document.body);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of("ink"), faint: of("faint"), line: of("line"), over: of("over"), last: of("link"), ground: of("ground"),
    factors: [1, 2, 3, 4, 5].map((n) => of(`factor-${n}`)),
  };
}

// What is drawn, as name, colour and shape: the legend, in HTML as in a picture.
export function legend({ view, rows, factors, markers }, colour) {
  const byFactor = view === "factors";
  return [
    { name: LICENSED, colour: byFactor ? colour.ink : colour.last, shape: "line" },
    ...(byFactor
      ? factors.map((name, n) => ({ name, colour: colour.factors[n], shape: "area" }))
      : [{ name: BAND, colour: colour.last, shape: "band" }]),
    ...(rows.some((row) => row[POOL] !== null) ? [{ name: ACQUIRED, colour: colour.ink, shape: "dashes" }] : []),
    ...(rows.some(isOver) ? [{ name: OVER, colour: colour.over, shape: "area" }] : []),
    ...(markers.length ? [{ name: SETTINGS, colour: colour.faint, shape: "marker" }] : []),
  ];
}

const isOver = (row) => row[POOL] !== null && row[LAST] > row[POOL];

export function options(figure, colour) {
  const { rows, from, to, zoom } = figure;
  const range = zoom ? { startValue: zoom[0], endValue: zoom[1] } : { start: 0, end: 100 };
  const axis = { axisLine: { lineStyle: { color: colour.line } }, axisLabel: { color: colour.faint, hideOverlap: true },
                 splitLine: { lineStyle: { color: colour.line, opacity: 0.6 } } };
  // On a touch screen a finger on the chart scrolls the page; the slider zooms.
  const touch = matchMedia("(pointer: coarse)").matches;
  return {
    animation: false,
    textStyle: { fontFamily: "system-ui, sans-serif" },
    grid: { left: 8, right: 16, top: 24, bottom: 56, containLabel: true },
    xAxis: { ...axis, type: "time", min: from, max: to, splitLine: { show: false } },
    yAxis: { ...axis, type: "value", minInterval: 1, ...(figure.view === "total" ? extent(rows) : { min: 0 }) },
    dataZoom: [
      { type: "inside", filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, disabled: touch, ...range },
      { type: "slider", filterMode: "none", height: 24, bottom: 8, borderColor: colour.line,
        textStyle: { color: colour.faint }, labelFormatter: (ms) => local(ms), brushSelect: false, ...range },
    ],
    tooltip: { trigger: "axis", confine: true, backgroundColor: colour.ground, borderColor: colour.line,
               textStyle: { color: colour.ink, fontSize: 13 }, formatter: (at) => told(figure, at.find((one) => one.seriesId === POINTS)?.dataIndex) },
    series: rows.length ? series(figure, colour) : [],
  };
}

// Round ends with room around what is drawn: a line of small steps is seen, and does not look like one of large ones.
function extent(rows) {
  const values = rows.flatMap((row) => [row[MIN], row[MAX], row[POOL] ?? row[MIN]]);
  if (!values.length) return {};
  const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
  const room = Math.max((high - low) / 2, high / 50, 2);
  const unit = 10 ** Math.floor(Math.log10(high - low + 2 * room));
  return { min: Math.max(0, Math.floor((low - room) / unit) * unit), max: Math.ceil((high + room / 2) / unit) * unit };
}

function series(figure, colour) {
  const { rows, to, view, factors, markers, demoUntil, from } = figure;
  const ends = rows.at(-1)[AT] < to ? [...rows, [to, ...rows.at(-1).slice(1)]] : rows;
  // ECharts leaves out segments below two pixels, which makes slopes of steps: only what differs is drawn, with a
  // point a little before and a little later (areas are drawn back as well), so that a step too small for it stays short.
  const [begin, end] = figure.zoom ?? [from, to];
  const later = (end - begin) * 0.0025;
  const differing = ends.filter((row, n) => !n || n + 1 === ends.length || row.some((value, i) => i && value !== ends[n - 1][i]));
  const changed = differing.flatMap((row, n) => [
    ...(n && differing[n - 1][AT] + 2 * later < row[AT] ? [[row[AT] - later, ...differing[n - 1].slice(1)]] : []),
    row,
    ...(n && n + 1 < differing.length && row[AT] + 2 * later < differing[n + 1][AT] ? [[row[AT] + later, ...row.slice(1)]] : []),
  ]);
  const line = (name, of, color, more = {}) => ({
    type: "line", id: name, name, step: "end", showSymbol: false, color, data: changed.map((row) => [row[AT], of(row)]),
    lineStyle: { width: 1 }, emphasis: { disabled: true }, ...more,
  });
  const hidden = { lineStyle: { width: 0 }, silent: true, symbol: "none" };
  const area = (opacity) => ({ lineStyle: { width: 0 }, areaStyle: { opacity } });
  const marks = {
    markLine: { symbol: ["none", "triangle"], symbolSize: 9, symbolRotate: 180, label: { show: false }, silent: true,
                animation: false, lineStyle: { color: colour.faint, type: "dotted", width: 1 },
                data: markers.map((marker) => ({ xAxis: marker.at })) },
    markArea: { silent: true, itemStyle: { color: colour.faint, opacity: 0.07 },
                label: { color: colour.faint, position: "insideTopLeft" },
                data: demoUntil ? [[{ name: "Demo data", xAxis: from }, { xAxis: Math.min(demoUntil, to) }]] : [] },
  };
  const parts =
    view === "factors"
      ? factors.map((name, n) => line(name, (row) => row[FACTOR + n], colour.factors[n], { stack: "factors", ...area(0.75) }))
      : [
          line("lowest", (row) => row[MIN], colour.last, { stack: "band", ...hidden }),
          line(BAND, (row) => row[MAX] - row[MIN], colour.last, { stack: "band", ...area(0.25) }),
        ];
  const over = rows.some(isOver)
    ? [
        line("within", (row) => Math.min(row[LAST], row[POOL] ?? row[LAST]), colour.over, { stack: "over", ...hidden }),
        line(OVER, (row) => (isOver(row) ? row[LAST] - row[POOL] : 0), colour.over, { stack: "over", ...area(0.4) }),
      ]
    : [];
  const main = view === "factors" ? { color: colour.ink, width: 1.5 } : { color: colour.last, width: 2 };
  return [
    // All points, for the pointer to find.
    { ...line(POINTS, (row) => row[LAST], "transparent", hidden), data: ends.map((row) => [row[AT], row[LAST]]) },
    ...parts,
    ...over,
    line(ACQUIRED, (row) => row[POOL] ?? "-", colour.ink, { lineStyle: { width: 1.5, type: "dashed" } }),
    line(LICENSED, (row) => row[LAST], main.color, { lineStyle: { width: main.width }, ...marks }),
  ];
}

// The text at a point, as elements and never as HTML: names of people and settings are in it.
function told({ rows, to, factors, markers }, index) {
  const n = Math.min(index ?? 0, rows.length - 1);
  const row = rows[n];
  const until = n + 1 < rows.length ? rows[n + 1][AT] : to;
  const box = document.createElement("div");
  const add = (text, bold) => {
    const part = box.appendChild(document.createElement("div"));
    part.textContent = text;
    if (bold) part.style.fontWeight = 600;
  };
  add(`${local(row[AT])} to ${local(until)}${row[DEMO] ? " (demo data)" : ""}`, true);
  add(`${LICENSED}: ${number(row[LAST])}` +
      (row[MIN] === row[MAX] ? "" : `, between ${number(row[MIN])} and ${number(row[MAX])}`));
  if (row[POOL] !== null)
    add(`Pool: ${number(row[POOL])}` + (isOver(row) ? `, ${number(row[LAST] - row[POOL])} over` : ""));
  factors.forEach((name, f) => add(`${name}: ${number(row[FACTOR + f])}`));
  const near = markers.filter((marker) => marker.at >= row[AT] && marker.at < until);
  near.slice(-4).forEach((marker) => add(marker.text, true));
  return box;
}
