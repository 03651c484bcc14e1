// A choice of a range of time in the viewer's own zone: a span up to now, or from one instant to another; and a step.
// `from` and `to` are RFC 3339: where a choice of instants begins. What is chosen is told as { range, from, to, step }.
const local = (text) => {
  const at = new Date(text);
  return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
};

export default {
  template: `
    <form class="toolbar range" @submit.prevent="tell">
      <q-select v-model="chosen" :options="ranges" emit-value map-options dense outlined options-dense
        label="Time range" class="choice" />
      <template v-if="chosen === 'custom'">
        <q-input v-model="since" type="datetime-local" step="1" dense outlined stack-label label="From" />
        <q-input v-model="until" type="datetime-local" step="1" dense outlined stack-label label="To" />
      </template>
      <q-select v-if="steps.length" v-model="width" :options="steps" emit-value map-options dense outlined options-dense
        label="Step" class="step" />
      <q-btn type="submit" :label="action" unelevated no-caps color="primary" />
    </form>`,
  props: { ranges: Array, range: String, from: String, to: String, steps: Array, step: String, action: String },
  emits: ["chosen"],
  data: () => ({ chosen: "", since: "", until: "", width: "" }),
  watch: {
    range: { immediate: true, handler() { this.chosen = this.range; } },
    step: { immediate: true, handler() { this.width = this.step; } },
    from: { immediate: true, handler() { this.since = this.from ? local(this.from) : ""; } },
    to: { immediate: true, handler() { this.until = this.to ? local(this.to) : ""; } },
  },
  methods: {
    // An instant that was not touched keeps its milliseconds, which the field does not show.
    instant: (shown, given) => (!shown ? "" : given && shown === local(given) ? given : new Date(shown).toISOString()),
    tell() {
      const custom = this.chosen === "custom";
      this.$emit("chosen", {
        range: this.chosen, step: this.width,
        from: custom ? this.instant(this.since, this.from) : "", to: custom ? this.instant(this.until, this.to) : "",
      });
    },
  },
};
