// One saliency map: the picture, and over it the attribution by one method.

import { answering } from "../answering.js";
import { send } from "../api.js";
import { announce, className, h, milliseconds, words } from "../dom.js";
import { drawHeat, groundOf, heatOf } from "../heat.js";

// What the gateway computes from outside, by hundreds of predictions.
const FROM_OUTSIDE = ["occlusion", "rise"];

/** Whether a method is slow while the model offers faster ones: then it waits to be asked for. */
export function isSlow(method, { saliency_methods: methods }) {
  return FROM_OUTSIDE.includes(method) && methods.some((other) => !FROM_OUTSIDE.includes(other));
}

/** The call for a map. */
export function requestOf({ model, picture, invert, classIndex, score }, method) {
  const query = { method, class_index: classIndex, score: score || undefined, invert: invert || undefined };
  return { model: model.name, verb: "saliency", query, picture, accept: "application/json" };
}

/**
 * A card with the map of a method.
 * @param {string} method
 * @param {Object} state of the view: picture, invert, model, classIndex, method, strength, score
 * @param {AbortSignal} signal
 * @param {() => void} onChoose
 */
export function methodMap(method, state, signal, onChoose) {
  const canvas = h("canvas", { role: "img" });
  const button = h("button", { type: "button", onclick: onChoose }, words(method));
  const note = h("p", { className: "muted" }, "…");
  const body = h("div", {}, canvas, note);
  const element = h("article", { className: "card map" }, h("header", {}, button), body);
  const isChosen = () => method === state.method;
  const mark = () => button.setAttribute("aria-pressed", isChosen());
  let shown = null;

  function draw() {
    if (shown) drawHeat(canvas, shown.ground, shown.heat, Number(state.strength));
  }

  const explain = answering(body, signal, async () => {
    note.textContent = "…";
    const { map, name, remarks } = await explanationBy(method, state, signal);
    shown = map;
    canvas.setAttribute("aria-label", `Saliency map of ${name}, by ${words(method)}`);
    note.textContent = [name, ...remarks].join(" · ");
    if (isChosen()) announce(`Explained ${name}`);
    draw();
    return [canvas, note];
  });

  /** Show something instead of a map. */
  function empty(...instead) {
    shown = null;
    body.replaceChildren(...instead);
  }

  const wait = () => empty(...offer(onChoose));
  return { element, method, explain, draw, empty, wait, mark, isChosen, isShown: () => shown !== null };
}

function offer(onChoose) {
  const text = "From outside, by hundreds of predictions: this may take a while.";
  return [h("p", { className: "muted" }, text), h("button", { type: "button", onclick: onChoose }, "Explain")];
}

async function explanationBy(method, state, signal) {
  const { picture, invert, model } = state;
  const { data, ms } = await send(requestOf(state, method), signal);
  const [explanation] = data.explanations;
  const heat = heatOf(explanation.attribution);
  const ground = await groundOf({ picture, invert }, model.images, heat);
  const name = className(model.classes, explanation.class_index);
  return { map: { heat, ground }, name, remarks: [milliseconds(ms), ...remarksOn(explanation)] };
}

function remarksOn({ convergence_delta: delta, scores }) {
  // How far the attributions' sum is from the score that it should be.
  const sum = delta === undefined ? [] : [`sum off by ${Math.abs(delta).toFixed(2)}`];
  if (!scores) return sum;
  return [...sum, `deletion ${scores.deletion.toPrecision(2)}`, `insertion ${scores.insertion.toPrecision(2)}`];
}
