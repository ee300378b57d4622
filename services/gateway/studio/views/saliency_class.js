// The class that the saliency maps explain: of a few classes each, of many the most probable or one that is searched.

import { send } from "../api.js";
import { hasMany } from "../bars.js";
import { oneOf } from "../choices.js";
import { ClassSearch } from "../class_search.js";
import { certainty, className, h } from "../dom.js";
import { newestOnly } from "../newest.js";

export const TOP_CLASS = "-1";
const MOST_PROBABLE = { value: TOP_CLASS, text: "the most probable" };
const TOP = 5;

/**
 * The choice of a class; `look` is called for a new picture.
 * @param {Object} state of the view: picture, invert, model, classIndex
 * @param {AbortSignal} signal
 * @param {(classIndex: string) => void} onChoose
 */
export function classChoice(state, signal, onChoose) {
  const { classes } = state.model;
  if (hasMany(classes)) return choiceOfMany(state, signal, onChoose);
  const named = classes.map((_, index) => optionOf(classes, index));
  return { element: oneOf("Class", [MOST_PROBABLE, ...named], state.classIndex, onChoose), look: () => {} };
}

function choiceOfMany(state, signal, onChoose) {
  const { classes, name: model } = state.model;
  const buttons = h("div");
  let top = [];

  const choose = (classIndex) => {
    onChoose(classIndex);
    offer();
  };

  function offer() {
    const ranked = top.map((each) => optionOf(classes, each.class_index, each));
    const isRanked = [MOST_PROBABLE, ...ranked].some(({ value }) => value === state.classIndex);
    const searched = isRanked ? [] : [optionOf(classes, Number(state.classIndex))];
    buttons.replaceChildren(oneOf("Class", [MOST_PROBABLE, ...ranked, ...searched], state.classIndex, choose));
  }

  const look = newestOnly(async () => {
    const { picture, invert } = state;
    const query = { top: TOP, invert: invert || undefined };
    // The maps show what is wrong with a call.
    const answer = await send({ model, verb: "predict", query, picture }, signal).catch(() => null);
    top = answer?.data.predictions[0].top ?? [];
    offer();
  });

  offer();
  const find = new ClassSearch("Find a class", classes, (index) => choose(String(index)));
  return { element: h("div", { className: "of-many" }, buttons, find.element), look };
}

function optionOf(classes, index, sure) {
  const name = className(classes, index);
  return { value: String(index), text: sure ? `${name} ${certainty(sure)}` : name };
}
