// A history as a chart and, opened below it, as a table of its points. What is drawn is in poolwatch-history.
import { AT, FACTOR, LAST, MAX, MIN, POOL, colours, echarts, legend, local, options } from "poolwatch-history";

const SETTLED_MS = 400;
const MOST_LISTED = 1000;

export default {
  template: `
    <div class="history">
      <ul class="legend" aria-label="Legend">
        <li v-for="item in legend" :key="item.name">
          <span :class="['swatch', item.shape]" :style="{ color: item.colour }" aria-hidden="true"></span>{{ item.name }}
        </li>
      </ul>
      <div ref="plot" class="plot" role="img" :aria-label="said"></div>
      <p v-if="!touch" class="small faint">Zoom with the slider, or with Ctrl and the wheel.</p>
      <details @toggle="open = $event.target.open">
        <summary>Points as a table</summary>
        <p v-if="open && cut" class="small faint">The newest {{ listed.length }}; the CSV has all.</p>
        <div v-if="open" class="scroll-x" tabindex="0" role="region" aria-label="Points as a table">
          <table class="rows">
            <thead><tr><th scope="col">From</th>
              <th v-for="name in columns" :key="name" scope="col" class="number">{{ name }}</th></tr></thead>
            <tbody><tr v-for="row in listed" :key="row[0]" v-memo="[row]"><th scope="row" class="plain">{{ local(row[0]) }}
              <span v-if="row[5]" class="small faint">demo</span></th>
              <td v-for="(value, n) in cells(row)" :key="n" class="number">{{ value }}</td></tr></tbody>
          </table>
        </div>
      </details>
    </div>`,
  props: {
    reading: Number, rows: Array, from: Number, to: Number, view: String, markers: Array, demoUntil: Number, factors: Array,
    label: String,
  },
  emits: ["zoomed"],
  data: () => ({ colour: colours(), coarse: [], window: [0, 0], detail: null, zoom: null, open: false, said: "",
                 touch: matchMedia("(pointer: coarse)").matches }),
  computed: {
    shown() {
      if (!this.detail) return this.coarse;
      const { from, to, rows } = this.detail;
      const first = rows.length ? Math.min(rows[0][AT], from) : from;
      return [...this.coarse.filter((row) => row[AT] < first), ...rows, ...this.coarse.filter((row) => row[AT] >= to)];
    },
    figure() {
      return { rows: this.shown, from: this.window[0], to: this.window[1], zoom: this.zoom, view: this.view,
               markers: this.markers, demoUntil: this.demoUntil, factors: this.factors };
    },
    legend() {
      return legend(this.figure, this.colour);
    },
    listed() {
      return this.shown.slice(-MOST_LISTED).reverse();
    },
    cut() {
      return this.shown.length > MOST_LISTED;
    },
    columns() {
      return ["Currently Licensed", "Lowest", "Highest", "Pool", ...this.factors];
    },
  },
  watch: {
    // Not the rows: whatever else changes, they come as a new list, and what was zoomed into would be lost.
    reading: { immediate: true, handler: "begin" },
    figure: "draw",
    colour: "draw",
  },
  mounted() {
    // Not reactive: a proxy around a chart breaks it.
    const chart = echarts.init(this.$refs.plot);
    this.chart = () => chart;
    chart.on("datazoom", () => this.moved());
    this.sizes = new ResizeObserver(() => chart.resize());
    this.sizes.observe(this.$refs.plot);
    this.themes = new MutationObserver(() => (this.colour = colours()));
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    this.colour = colours();
    this.draw();
  },
  beforeUnmount() {
    clearTimeout(this.settling);
    this.sizes.disconnect();
    this.themes.disconnect();
    this.chart().dispose();
  },
  methods: {
    local,
    cells: (row) => [LAST, MIN, MAX, POOL, ...row.slice(FACTOR).map((_, n) => FACTOR + n)]
      .map((place) => row[place]?.toLocaleString() ?? "–"),
    begin() {
      this.coarse = this.rows;
      this.window = [this.from, this.to];
      this.said = this.label;
      this.detail = this.zoom = null;
    },
    draw() {
      this.chart?.().setOption(options(this.figure, this.colour), { replaceMerge: ["series"] });
    },
    moved() {
      clearTimeout(this.settling);
      this.settling = setTimeout(() => {
        const { start, end, startValue, endValue } = this.chart().getOption().dataZoom[0];
        this.zoom = start <= 0 && end >= 100 ? null : [Math.round(startValue), Math.round(endValue)];
        if (!this.zoom) this.detail = null;
        this.$emit("zoomed", this.zoom);
      }, SETTLED_MS);
    },
    // Finer points of a window.
    refine(from, to, rows) {
      this.detail = { from, to, rows };
    },
    // The live end: what there is from the first of these rows on, and the range as it is now.
    goOn(rows, from, to, label) {
      if (!rows.length) return;
      this.said = label;
      const joined = [...this.coarse.filter((row) => row[AT] < rows[0][AT]), ...rows];
      this.coarse = joined.filter((_, n) => n + 1 === joined.length || joined[n + 1][AT] > from);
      if (this.detail && this.detail.to >= this.window[1]) {
        this.detail = { ...this.detail, to, rows: [...this.detail.rows, [to, ...rows.at(-1).slice(1)]] };
      }
      this.window = [from, to];
    },
    picture(title, name) {
      const place = document.createElement("div");
      Object.assign(place.style, { width: "1200px", height: "640px", position: "fixed", left: "-2000px" });
      document.body.append(place);
      const chart = echarts.init(place, null, { devicePixelRatio: 2 });
      const drawn = options(this.figure, this.colour);
      const [zoom] = drawn.dataZoom;
      chart.setOption({
        ...drawn, backgroundColor: this.colour.ground, dataZoom: [{ ...zoom, disabled: false }],
        grid: { left: 16, right: 24, top: 112, bottom: 16, containLabel: true },
        title: { text: title, subtext: (this.zoom ?? this.window).map(local).join(" to "), left: 16, top: 12,
                 textStyle: { color: this.colour.ink, fontSize: 18 }, subtextStyle: { color: this.colour.faint } },
        legend: { left: 12, top: 68, icon: "roundRect", itemWidth: 18, itemHeight: 8, textStyle: { color: this.colour.ink },
                  data: this.legend.filter((item) => item.shape !== "marker").map(({ name, colour: color, shape }) => (
                    { name, itemStyle: { color, opacity: shape === "band" ? 0.3 : 1 } })) },
      });
      const link = document.createElement("a");
      Object.assign(link, { href: chart.getDataURL({ type: "png" }), download: name });
      link.click();
      chart.dispose();
      place.remove();
    },
  },
};
