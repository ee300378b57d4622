// Predict: the classes of the picture by each model.

import { answering } from "../answering.js";
import { send } from "../api.js";
import { someOf } from "../choices.js";
import { curlBox, curlOf } from "../curl.js";
import { announce, h, milliseconds, percent } from "../dom.js";
import { pictureInput } from "../picture_input.js";
import { nothing } from "../problem.js";

export const title = "Predict";
export const lead = "What is in the picture? The probabilities update while you draw.";

const AT_FIRST = 3;

export function show(context) {
  const { models, parameters, set, setPicture, signal } = context;
  const classifiers = models.filter((model) => classesOf(model, models).length);
  if (!classifiers.length) return nothing("predict");
  let looking = { picture: context.picture, invert: context.invert };
  let cards = [];
  const grid = h("div", { className: "cards" });
  const curl = curlBox();

  function compare(names) {
    const compared = classifiers.filter(({ name }) => names.includes(name));
    cards = compared.map((model) => predictionCard(model, classesOf(model, models), signal));
    grid.replaceChildren(...cards.map(({ element }) => element));
    predict();
  }

  function predict() {
    curl.show(cards.map(({ requestOf }) => curlOf(requestOf(looking))).join("\n"));
    cards.forEach((card) => card.predict(looking));
  }

  const names = chosenNames(classifiers, parameters.get("models"));
  const options = classifiers.map(({ name }) => ({ value: name, text: name }));
  const choice = someOf("Models", options, names, (chosen) => {
    set({ models: chosen.join(",") });
    compare(chosen);
  });
  const input = pictureInput(context, (changed) => {
    looking = changed;
    setPicture(changed);
    predict();
  });
  compare(names);
  return h("div", { className: "bench" }, input, h("div", {}, choice, grid), curl.element);
}

/** The names of the classes; a cascade answers with those of its small model. */
function classesOf({ classes, cascade }, models) {
  return classes ?? models.find(({ name }) => name === cascade?.small)?.classes ?? [];
}

function chosenNames(classifiers, asked) {
  const known = classifiers.map(({ name }) => name);
  const chosen = known.filter((name) => asked?.split(",").includes(name));
  if (chosen.length) return chosen;
  // A cascade shows more than another model of its kind.
  const cascade = classifiers.find((model) => model.cascade)?.name;
  return [...new Set([...known.slice(0, AT_FIRST - 1), cascade ?? known[AT_FIRST - 1]])].filter(Boolean);
}

function predictionCard(model, classes, signal) {
  const speaker = h("span", { className: "muted" }, "…");
  const top = h("p", { className: "top" }, "…");
  const rows = classes.map((label, index) => classRow(label ?? `class ${index}`));
  const list = h("ol", { className: "bars" }, ...rows.map(({ element }) => element));
  const body = h("div", {}, top, list);
  const element = h("article", { className: "card verdict" }, h("header", {}, h("h2", {}, model.name), speaker), body);
  const requestOf = ({ picture, invert }) => ({
    model: model.name,
    verb: "predict",
    query: { top: classes.length, invert: invert || undefined },
    picture,
  });

  const predict = answering(body, signal, async (looking) => {
    const { data, ms } = await send(requestOf(looking), signal);
    const [prediction] = data.predictions;
    speaker.textContent = `${speakerOf(model, prediction, data)} · ${milliseconds(ms)}`;
    top.textContent = prediction.label ?? `class ${prediction.class_index}`;
    for (const { class_index, probability } of prediction.top) {
      rows[class_index].set(probability, class_index === prediction.class_index);
    }
    announce(`${model.name}: ${top.textContent}, ${percent(prediction.probability)}`);
    return [top, list];
  });
  return { element, predict, requestOf };
}

function speakerOf({ cascade }, prediction, answer) {
  if (!cascade) return `version ${answer.model.version}`;
  const { name } = prediction.model;
  return name === cascade.small ? `${name} was sure` : `${cascade.small} unsure, ${name} answered`;
}

function classRow(label) {
  const bar = h("span", { className: "bar" });
  const value = h("span", { className: "value" }, "");
  const element = h("li", {}, h("span", { className: "name" }, label), bar, value);
  const set = (probability, isTop) => {
    bar.style.setProperty("--share", probability);
    value.textContent = percent(probability);
    element.classList.toggle("is-top", isTop);
  };
  return { element, set };
}
