// A figure that flashes when it changes, so that the eye finds it; not at all where the viewer wants less motion.
export default {
  template: `<span :class="['live-number', { moved }]">{{ value }}</span>`,
  props: { value: String },
  data: () => ({ moved: false, timer: null }),
  watch: {
    value() {
      this.moved = false;
      clearTimeout(this.timer);
      requestAnimationFrame(() => {
        this.moved = true;
        this.timer = setTimeout(() => (this.moved = false), 1500);
      });
    },
  },
};
