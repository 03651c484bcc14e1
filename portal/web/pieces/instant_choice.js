// A choice of an instant in the viewer's own zone. `at` is RFC 3339, or empty for "now"; what is chosen is told alike.
export default {
  template: `
    <form class="line instant" @submit.prevent="$emit('chosen', asUtc())">
      <q-input v-model="local" type="datetime-local" step="1" dense outlined stack-label :label="label" />
      <q-btn type="submit" label="Show" unelevated no-caps color="primary" />
      <q-btn v-if="at" label="Back to now" flat no-caps @click="$emit('chosen', '')" />
    </form>`,
  props: { at: String, label: String },
  emits: ["chosen"],
  data: () => ({ local: "" }),
  watch: {
    at: {
      immediate: true,
      handler() {
        this.local = this.shown();
      },
    },
  },
  methods: {
    shown() {
      if (!this.at) return "";
      const at = new Date(this.at);
      return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
    },
    asUtc() {
      // An instant that was not touched keeps its milliseconds, which the field does not show.
      if (!this.local || this.local === this.shown()) return this.at;
      return new Date(this.local).toISOString();
    },
  },
};
