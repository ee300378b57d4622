// Creates elements, and announces changes to screen readers.

/**
 * Make an element.
 * @param {string} tag
 * @param {Object} properties those of the element (`onclick`, `className`), else attributes
 * @param {...(Node|string|null)} children null is left out
 * @returns {HTMLElement}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

let announcement;

/** Tell a screen reader, once nothing newer has come for half a second. */
export function announce(text) {
  clearTimeout(announcement);
  announcement = setTimeout(() => {
    document.getElementById("announcer").textContent = text;
  }, 500);
}

/** Write a probability as people read it: 0.9731 is "97.3%". */
export function percent(probability) {
  return `${(100 * probability).toFixed(1)}%`;
}

/** Write how sure a model is of a class: by its probability, or else by its score. */
export function certainty({ probability, score }) {
  return probability === null ? (score?.toFixed(2) ?? "") : percent(probability);
}

/** Write the name of a class; models may name some of their classes, or none. */
export function className(classes, index) {
  return classes[index] ?? `class ${index}`;
}

/** Write a time in milliseconds. */
export function milliseconds(time) {
  return `${Math.round(time)} ms`;
}

/** Write the name of a method or a layer as words: "integrated_gradients" is "integrated gradients". */
export function words(name) {
  return name.replaceAll("_", " ");
}

/**
 * A labelled slider.
 * @param {string} label
 * @param {{min, max, step, value}} range
 * @param {(value: string) => void} onInput
 * @returns {{element: HTMLElement, input: HTMLInputElement, set: (value: number) => void}} `set` moves
 *   the slider without calling `onInput`
 */
export function slider(label, range, onInput) {
  // A screen reader hears the value from the slider itself.
  const output = h("span", { className: "value", "aria-hidden": "true" }, String(range.value));
  // The limits first: a value is cut to them when it is set.
  const { value, ...limits } = range;
  const input = h("input", { type: "range", ...limits, value });
  const set = (moved) => {
    input.value = moved;
    output.textContent = moved;
  };
  input.oninput = () => {
    output.textContent = input.value;
    onInput(input.value);
  };
  const element = h("div", { className: "slider" }, h("label", {}, h("span", {}, label), input), output);
  return { element, input, set };
}
