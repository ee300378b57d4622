// Saliency: the pixels that count for a class.

import { answering } from "../answering.js";
import { familyOf, send, signaturesOf } from "../api.js";
import { chosenOf, modelOptions, oneOf } from "../choices.js";
import { curlBox, curlOf } from "../curl.js";
import { announce, h, milliseconds, slider, words } from "../dom.js";
import { drawHeat } from "../heat.js";
import { greyOf } from "../picture.js";
import { pictureInput } from "../picture_input.js";
import { nothing } from "../problem.js";

export const title = "Saliency";
export const lead = "Why does the model choose this class? Red pixels count for the class, blue pixels against it.";

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
  const maps = methodMaps(context, state, curl);
  const input = pictureInput(context, (changed) => {
    Object.assign(state, changed);
    setPicture(changed);
    maps.explain();
  });
  const choice = oneOf("Model", options, state.model, (model) => {
    set({ model, class: null });
    maps.open(model, TOP_CLASS);
  });
  const range = { min: 0, max: 1, step: 0.05, value: state.strength };
  const strength = slider("Overlay", range, (value) => {
    state.strength = value;
    set({ strength: value });
    maps.draw();
  });
  await maps.open(state.model, state.classIndex);
  const controls = h("div", { className: "controls" }, strength.element);
  const right = h("div", {}, choice, maps.classes, controls, maps.element);
  return h("div", { className: "bench" }, input, right, curl.element);
}

/** The maps of all methods that the model offers, and the choice of the class that they explain. */
function methodMaps({ models, set, signal }, state, curl) {
  const element = h("div", { className: "maps" });
  const classes = h("div");
  let cards = [];

  const open = answering(element, signal, async (model, classIndex) => {
    const methods = familyOf(await signaturesOf(model, signal), FAMILY);
    Object.assign(state, { model, classIndex });
    if (!methods.includes(state.method)) state.method = methods[0];
    cards = methods.map((method) => methodCard(method, state, signal, () => chooseMethod(method)));
    classes.replaceChildren(classChoice(models, state, chooseClass));
    explain();
    return cards.map((card) => card.element);
  });

  function explain() {
    cards.forEach((card) => card.explain());
    describe();
  }

  function describe() {
    cards.forEach((card) => card.mark());
    curl.show(curlOf(requestOf(state, state.method)));
  }

  function chooseMethod(method) {
    state.method = method;
    set({ method });
    describe();
  }

  function chooseClass(classIndex) {
    state.classIndex = classIndex;
    set({ class: classIndex });
    explain();
  }

  return { element, classes, open, explain, draw: () => cards.forEach((card) => card.draw()) };
}

function requestOf({ model, picture, invert, classIndex }, method) {
  const query = { method, class_index: classIndex, invert: invert || undefined };
  return { model, verb: "saliency", query, picture, accept: "application/json" };
}

function classChoice(models, { model, classIndex }, choose) {
  const { classes } = models.find(({ name }) => name === model);
  const named = classes.map((label, index) => ({ value: String(index), text: label ?? `class ${index}` }));
  const options = [{ value: TOP_CLASS, text: "the most probable" }, ...named];
  return oneOf("Class", options, classIndex, choose);
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

  const explain = answering(body, signal, async () => {
    const { picture, invert } = state;
    const { data, ms } = await send(requestOf(state, method), signal);
    const [{ attribution, label, class_index: index, convergence_delta: delta }] = data.explanations;
    const name = label ?? `class ${index}`;
    const grey = await greyOf(picture.blob, attribution[0].length, attribution.length);
    shown = { attribution, grey: invert ? grey.map((value) => 255 - value) : grey };
    canvas.setAttribute("aria-label", `Saliency map of ${name}, by ${words(method)}`);
    note.textContent = `${name} · ${milliseconds(ms)}`;
    // How far the attributions' sum is from the score that it should be.
    if (delta !== undefined) note.textContent += ` · sum off by ${Math.abs(delta).toFixed(2)}`;
    if (method === state.method) announce(`Explained ${name}`);
    draw();
    return [canvas, note];
  });
  const mark = () => button.setAttribute("aria-pressed", method === state.method);
  return { element, explain, draw, mark };
}
