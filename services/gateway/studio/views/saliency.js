// Saliency: the pixels that count for a class.

import { oneModelOf } from "../choices.js";
import { curlBox, curlOf } from "../curl.js";
import { h, slider } from "../dom.js";
import { leftOut, noPicture } from "../empty.js";
import { mediumOf } from "../kinds.js";
import { pictureInput } from "../picture_input.js";
import { TOP_CLASS, classChoice } from "./saliency_class.js";
import { isSlow, methodMap, requestOf } from "./saliency_map.js";

export const title = "Saliency";
export const lead = "Why does the model choose this class? Red pixels count for the class, blue pixels against it.";
export const task = "saliency";

const STRENGTH = "0.9";
const SCORES =
  "Deletion is the area under the class's score as the pixels go, the most important first: lower is more " +
  "faithful. Insertion is that area as the pixels come: higher is more faithful.";

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
  const maps = methodMaps(context, state, curl);
  const input = pictureInput(context, (changed) => {
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

/** The maps of all methods that the model offers, and the choice of the class that they explain. */
function methodMaps({ set, signal }, state, curl) {
  const element = h("div");
  const classes = h("div");
  let maps = [];
  let classOf = null;
  let turn = 0;

  function open(model, classIndex) {
    const methods = model.saliency_methods;
    Object.assign(state, { model, classIndex });
    if (!methods.includes(state.method)) state.method = methods[0];
    maps = methods.map((method) => methodMap(method, state, signal, () => chooseMethod(method)));
    classOf = classChoice(state, signal, chooseClass);
    classes.replaceChildren(classOf.element);
    element.className = `maps of-${mediumOf(model)}`;
    element.replaceChildren(...maps.map((map) => map.element));
  }

  /** Ask for one map after the other, the chosen one first, until there is a newer picture. */
  async function explain() {
    turn += 1;
    const current = turn;
    describe();
    if (!state.picture.blob) return maps.forEach((map) => map.empty(noPicture()));
    classOf.look();
    const [waiting, asked] = parted(maps, ({ method, isChosen }) => isSlow(method, state.model) && !isChosen());
    waiting.forEach((map) => map.wait());
    for (const map of asked.toSorted((one, other) => other.isChosen() - one.isChosen())) {
      await map.explain();
      if (turn !== current || signal.aborted) return;
    }
  }

  function describe() {
    maps.forEach((map) => map.mark());
    curl.show(state.picture.blob ? curlOf(requestOf(state, state.method)) : "");
  }

  function chooseMethod(method) {
    state.method = method;
    set({ method });
    describe();
    const chosen = maps.find((map) => map.isChosen());
    if (state.picture.blob && !chosen.isShown()) chosen.explain();
  }

  function chooseClass(classIndex) {
    state.classIndex = classIndex;
    set({ class: classIndex });
    explain();
  }

  return { element, classes, open, explain, draw: () => maps.forEach((map) => map.draw()) };
}

function parted(items, isFirst) {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
