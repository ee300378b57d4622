// Saliency: the pixels that count for a class.

import { oneModelOf } from "../choices.js";
import { curlBox } from "../curl.js";
import { h, slider } from "../dom.js";
import { leftOut } from "../empty.js";
import { PictureInput } from "../picture_input.js";
import { TOP_CLASS } from "./saliency_class.js";
import { SaliencyMaps } from "./saliency_maps.js";

export const title = "Saliency";
export const lead = "Why does the model choose this class? Red pixels count for the class, blue pixels against it.";
export const meaning =
  "Every map explains the same prediction: red pixels raise the score of the class, blue pixels lower it, and " +
  "pixels without colour do not count. The methods ask in different ways: [gradient], [SmoothGrad], [integrated " +
  "gradients], [Grad-CAM], [occlusion], [RISE].";
export const task = "saliency";
export const pictured = true;

const STRENGTH = "0.9";
const SCORES =
  "Deletion is the mean score of the class while pixels are removed, the most important ones first: lower is more " +
  "faithful. Insertion is its mean score while they are added: higher is more faithful.";

export async function show(context) {
  const { models, offered, chosen, parameters, set, setPicture, signal } = context;
  const state = {
    picture: context.picture,
    invert: context.invert,
    model: chosen[0],
    classIndex: parameters.get("class") ?? TOP_CLASS,
    strength: parameters.get("strength") ?? STRENGTH,
    score: parameters.get("score") === "true",
    method: parameters.get("method"),
  };
  const curl = curlBox();
  const maps = new SaliencyMaps(context, state, curl);
  const input = new PictureInput(context, (changed) => {
    Object.assign(state, changed);
    setPicture(changed);
    maps.explain();
  });
  const choice = oneModelOf(offered, state.model, (model) => {
    set({ model: model.name, class: null });
    maps.open(model, TOP_CLASS);
    input.fit([model]);
  });
  maps.open(state.model, state.classIndex);
  maps.explain();
  const rest = leftOut(task, models, offered);
  const right = h("div", {}, choice, rest, maps.classes, controls(state, set, maps), maps.element);
  return h("div", { className: "bench" }, input.element, right, curl.element);
}

function controls(state, set, maps) {
  const range = { min: 0, max: 1, step: 0.05, value: state.strength };
  const strength = slider("Overlay", range, (value) => {
    state.strength = value;
    set({ strength: value });
    maps.draw();
  });
  const about = h("p", { className: "note", hidden: !state.score }, SCORES);
  const score = h("button", { type: "button", "aria-pressed": state.score }, "How faithful?");
  score.onclick = () => {
    state.score = !state.score;
    about.hidden = !state.score;
    score.setAttribute("aria-pressed", state.score);
    set({ score: state.score || null });
    maps.explain();
  };
  return h("div", { className: "controls" }, strength.element, score, about);
}
