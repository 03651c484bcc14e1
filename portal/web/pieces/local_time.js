// An instant in the viewer's own zone, with UTC on hover; `at` is RFC 3339, or empty for "never".
export default {
  template: `<time v-if="at" :datetime="at" :title="utc" tabindex="-1">{{ shown }}</time><span v-else>{{ never }}</span>`,
  props: { at: String, never: String },
  computed: {
    shown() {
      return new Date(this.at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    },
    utc() {
      return this.at.replace("T", " ").replace(/\.\d+Z$|Z$/, "") + " UTC";
    },
  },
};
