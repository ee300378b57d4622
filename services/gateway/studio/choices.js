// Buttons to choose by: one of several, or several.

import { h, percent } from "./dom.js";
import { groupsOf } from "./kinds.js";

// Of more options than this, a list is easier to read than buttons.
const BUTTONS_AT_MOST = 12;

/**
 * A group of buttons of which one is chosen.
 * @param {string} label
 * @param {Array<{value: string, text: string}>} options
 * @param {string} chosen
 * @param {(value: string) => void} onChoose
 */
export function oneOf(label, options, chosen, onChoose) {
  if (options.length > BUTTONS_AT_MOST) return listOf(label, options, chosen, onChoose);
  const buttons = switches(options, (value) => value === chosen, onChoose);
  return group(label, h("div", { className: "buttons" }, ...buttons));
}

/**
 * The models of a view by what they take, of which one is chosen.
 * @param {Object[]} models
 * @param {Object} chosen
 * @param {(model: Object) => void} onChoose
 */
export function oneModelOf(models, chosen, onChoose) {
  const all = [];
  const make = (members) => switches(members.map(optionOf), (name) => name === chosen.name, choose, all);
  const choose = (name) => onChoose(models.find((model) => model.name === name));
  return group("Model", kinds(models, make));
}

/** The models of a view by what they take, of which any number is chosen, at least one. */
export function someModelsOf(models, chosen, onChoose) {
  const picked = new Set(chosen.map(({ name }) => name));
  const toggle = (model) => {
    const { name } = model;
    const button = chip(optionOf(model), picked.has(name));
    button.onclick = () => {
      if (picked.has(name) && picked.size > 1) picked.delete(name);
      else picked.add(name);
      button.setAttribute("aria-pressed", picked.has(name));
      onChoose(models.filter((model) => picked.has(model.name)));
    };
    return button;
  };
  return group("Models", kinds(models, (members) => members.map(toggle)));
}

/** The option that an address asks for if there is such a one, else the first. */
export function chosenOf(options, asked) {
  return (options.find(({ value }) => value === asked) ?? options[0])?.value;
}

function optionOf({ name, accuracy }) {
  return { value: name, text: name, note: accuracy === undefined ? null : percent(accuracy) };
}

function chip({ text, note = null }, isPressed) {
  const share = note && h("span", { className: "share", title: "Accuracy on the test set" }, ` ${note}`);
  return h("button", { type: "button", "aria-pressed": isPressed }, h("span", {}, text), share);
}

/** Buttons of which pressing one releases all others. */
function switches(options, isPressed, onChoose, all = []) {
  const buttons = options.map((option) => {
    const { value } = option;
    const button = chip(option, isPressed(value));
    button.onclick = () => {
      all.forEach((each) => each.setAttribute("aria-pressed", each === button));
      onChoose(value);
    };
    return button;
  });
  all.push(...buttons);
  return buttons;
}

function kinds(models, buttonsOf) {
  const groups = groupsOf(models).map(({ title, models: unsorted }) => {
    const members = unsorted.toSorted((one, other) => (other.accuracy ?? 0) - (one.accuracy ?? 0));
    const name = h("span", { className: "kind" }, title);
    const buttons = h("div", { className: "buttons" }, ...buttonsOf(members));
    return h("div", { className: "kin", role: "group", "aria-label": title }, name, buttons);
  });
  return h("div", { className: "kinds" }, ...groups);
}

function listOf(label, options, chosen, onChoose) {
  const items = options.map(({ value, text }) => h("option", { value }, text));
  const select = h("select", { onchange: () => onChoose(select.value) }, ...items);
  select.setAttribute("aria-label", label);
  select.value = chosen;
  return group(label, select);
}

function group(label, content) {
  const name = h("span", { className: "label" }, label);
  return h("div", { className: "choices", role: "group", "aria-label": label }, name, content);
}
