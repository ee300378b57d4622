// Saliency: which pixels speak for a class?

import { send, signaturesOf } from "../api.js";
import { chosenOf, modelOptions, oneOf } from "../choices.js";
import { curlBox, curlOf } from "../curl.js";
import { announce, h, milliseconds, slider, words } from "../dom.js";
import { drawHeat } from "../heat.js";
import { newestOnly } from "../newest.js";
import { greyOf } from "../picture.js";
import { pictureInput } from "../picture_input.js";
import { nothing, problemBox } from "../problem.js";

export const title = "Saliency";
export const lead = "Why does the model think so? Red pixels speak for the class, blue ones against it.";

const FAMILY = "saliency_";
const TOP_CLASS = "-1";
const STRENGTH = "0.9";

export async function show(context) {
  const { models, parameters, set, setPicture, signal } = context;
  const options = modelOptions(models, "saliency");
  if (!options.length) return nothing("saliency");
  const state = {
    picture: context.picture,
    invert: context.invert,
    model: chosenOf(options, parameters.get("model")),
    classIndex: parameters.get("class") ?? TOP_CLASS,
    strength: parameters.get("strength") ?? STRENGTH,
    method: parameters.get("method"),
  };
  const curl = curlBox();
  const maps = h("div", { className: "maps" });
  const classes = h("div");
  let cards = [];

  async function open() {
    const signatures = Object.keys(await signaturesOf(state.model, signal));
    const methods = signatures.filter((name) => name.startsWith(FAMILY)).sort();
    const names = methods.map((name) => name.slice(FAMILY.length));
    if (!names.includes(state.method)) state.method = names[0];
    cards = names.map((method) => methodCard(method, state, signal, () => choose({ method })));
    maps.replaceChildren(...cards.map(({ element }) => element));
    classes.replaceChildren(classChoice(models, state, choose));
    explain();
  }

  function explain() {
    cards.forEach((card) => card.explain());
    describe();
  }

  function describe() {
    cards.forEach((card) => card.mark());
    curl.show(curlOf(requestOf(state, state.method)));
  }

  function choose({ method, classIndex }) {
    Object.assign(state, method ? { method } : { classIndex });
    set(method ? { method } : { class: classIndex });
    if (method) describe();
    else explain();
  }

  const input = pictureInput(context, (changed) => {
    Object.assign(state, changed);
    setPicture(changed);
    explain();
  });
  const choice = oneOf("Model", options, state.model, (model) => {
    Object.assign(state, { model, classIndex: TOP_CLASS });
    set({ model, class: null });
    return open();
  });
  const strength = slider("Overlay", { min: 0, max: 1, step: 0.05, value: state.strength }, (value) => {
    state.strength = value;
    set({ strength: value });
    cards.forEach((card) => card.draw());
  });
  await open();
  const controls = h("div", { className: "controls" }, strength.element);
  return h("div", { className: "bench" }, input, h("div", {}, choice, classes, controls, maps), curl.element);
}

function requestOf({ model, picture, invert, classIndex }, method) {
  const query = { method, class_index: classIndex, invert: invert || undefined };
  return { model, verb: "saliency", query, picture, accept: "application/json" };
}

function classChoice(models, { model, classIndex }, choose) {
  const { classes } = models.find(({ name }) => name === model);
  const named = classes.map((label, index) => ({ value: String(index), text: label ?? `class ${index}` }));
  const options = [{ value: TOP_CLASS, text: "the most probable" }, ...named];
  return oneOf("Class", options, classIndex, (chosen) => choose({ classIndex: chosen }));
}

function methodCard(method, state, signal, onChoose) {
  const canvas = h("canvas", { role: "img" });
  const button = h("button", { type: "button", onclick: onChoose }, words(method));
  const note = h("p", { className: "muted" }, "…");
  const body = h("div", {}, canvas, note);
  const element = h("article", { className: "card map" }, h("header", {}, button), body);
  let shown = null;

  function draw() {
    if (shown) drawHeat(canvas, shown.grey, shown.attribution, Number(state.strength));
  }

  const explain = newestOnly(async () => {
    const { picture, invert } = state;
    try {
      const { data, ms } = await send(requestOf(state, method), signal);
      const [{ attribution, label, class_index: index, convergence_delta: delta }] = data.explanations;
      const name = label ?? `class ${index}`;
      const grey = await greyOf(picture.blob, attribution[0].length, attribution.length);
      shown = { attribution, grey: invert ? grey.map((value) => 255 - value) : grey };
      canvas.setAttribute("aria-label", `What speaks for ${name}, by ${words(method)}`);
      note.textContent = `${name} · ${milliseconds(ms)}`;
      // How far the attributions' sum is from the score that it should be.
      if (delta !== undefined) note.textContent += ` · off by ${Math.abs(delta).toFixed(2)}`;
      if (method === state.method) announce(`Explained ${name}`);
      draw();
      body.replaceChildren(canvas, note);
    } catch (error) {
      if (!signal.aborted) body.replaceChildren(problemBox(error, explain));
    }
  });
  const mark = () => button.setAttribute("aria-pressed", method === state.method);
  return { element, explain, draw, mark };
}
