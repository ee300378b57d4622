// Buttons to choose by: one of several, or several.

import { h } from "./dom.js";

/**
 * A group of which one is chosen.
 * @param {string} label
 * @param {Array<{value: string, text: string}>} options
 * @param {string} chosen
 * @param {(value: string) => void} onChoose
 */
export function oneOf(label, options, chosen, onChoose) {
  const buttons = options.map(({ value, text }) => {
    const button = h("button", { type: "button" }, text);
    button.setAttribute("aria-pressed", value === chosen);
    button.onclick = () => {
      buttons.forEach((each) => each.setAttribute("aria-pressed", each === button));
      onChoose(value);
    };
    return button;
  });
  return group(label, buttons);
}

/** A group of which any number is chosen, at least one. */
export function someOf(label, options, chosen, onChoose) {
  const picked = new Set(chosen);
  const buttons = options.map(({ value, text }) => {
    const button = h("button", { type: "button" }, text);
    button.setAttribute("aria-pressed", picked.has(value));
    button.onclick = () => {
      if (picked.has(value) && picked.size > 1) picked.delete(value);
      else picked.add(value);
      button.setAttribute("aria-pressed", picked.has(value));
      onChoose(options.map((option) => option.value).filter((each) => picked.has(each)));
    };
    return button;
  });
  return group(label, buttons);
}

/** The models of a task to choose from, as options. */
export function modelOptions(models, task) {
  return models.filter(({ tasks }) => tasks.includes(task)).map(({ name }) => ({ value: name, text: name }));
}

/** The one that the address names if there is such a one, else the first. */
export function chosenOf(options, asked) {
  return (options.find(({ value }) => value === asked) ?? options[0])?.value;
}

function group(label, buttons) {
  const name = h("span", { className: "label" }, label);
  const all = h("div", { className: "buttons" }, ...buttons);
  return h("div", { className: "choices", role: "group", "aria-label": label }, name, all);
}
