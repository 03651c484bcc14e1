// What is muted, for how long, and why; a maintenance window in the viewer's own zone. What is chosen is told as
// { rule, span_s, since, until, reason }: a span from now on, or (span_s 0) instants in RFC 3339.
export default {
  template: `
    <form class="toolbar silence" @submit.prevent="tell">
      <q-select v-model="chosen" :options="spans" emit-value map-options dense outlined options-dense
        label="For how long" class="choice" />
      <template v-if="!chosen">
        <q-input v-model="since" type="datetime-local" step="1" dense outlined stack-label label="From (empty: now)" />
        <q-input v-model="until" type="datetime-local" step="1" dense outlined stack-label label="To" required />
      </template>
      <q-select v-model="muted" :options="rules" emit-value map-options dense outlined options-dense
        label="What" class="choice" />
      <q-input v-model="reason" dense outlined label="Reason" maxlength="200" class="choice" />
      <q-btn type="submit" :label="action" unelevated no-caps color="primary" />
    </form>`,
  props: { spans: Array, rules: Array, rule: String, action: String },
  emits: ["chosen"],
  data: () => ({ chosen: 0, since: "", until: "", muted: "", reason: "" }),
  watch: {
    rule: { immediate: true, handler() { this.muted = this.rule; } },
    spans: { immediate: true, handler() { this.chosen = this.spans[0].value; } },
  },
  methods: {
    instant: (shown) => (shown ? new Date(shown).toISOString() : ""),
    tell() {
      const custom = !this.chosen;
      this.$emit("chosen", {
        rule: this.muted, span_s: this.chosen, reason: this.reason,
        since: custom ? this.instant(this.since) : "", until: custom ? this.instant(this.until) : "",
      });
    },
  },
};
