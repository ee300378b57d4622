// Predict: the classes of the picture by each model.

import { answering } from "../answering.js";
import { send } from "../api.js";
import { classBars, hasMany } from "../bars.js";
import { someModelsOf } from "../choices.js";
import { ClassSearch } from "../class_search.js";
import { curlBox, curlOf } from "../curl.js";
import { announce, certainty, className, h, milliseconds } from "../dom.js";
import { leftOut, noPicture } from "../empty.js";
import { kindOf, sizeOf } from "../kinds.js";
import { PictureInput } from "../picture_input.js";
import { drawPixels, pixelsOf, sizeOfBitmap } from "../pixels.js";

export const title = "Predict";
export const lead = "What is in the picture? The probabilities update while you draw.";
export const meaning =
  "Each bar is the [probability] of a class, and those of one model add up to 100%. The number beside a model is " +
  "its [accuracy]; a [cascade] says which of its two models has answered.";
export const task = "predict";
export const pictured = true;
export const many = true;

const THUMBNAIL = 96;

export function show(context) {
  const { models, offered, chosen, set, setPicture, signal } = context;
  let look = { picture: context.picture, invert: context.invert };
  let cards = [];
  const grid = h("div", { className: "cards" });
  const curl = curlBox();

  function compare(compared) {
    const isMixed = new Set(compared.map(kindOf)).size > 1;
    cards = compared.map((model) => predictionCard(model, isMixed, signal, predict));
    grid.replaceChildren(...cards.map(({ element }) => element));
  }

  function predict() {
    const { blob } = look.picture;
    curl.show(blob ? cards.map(({ requestOf }) => curlOf(requestOf(look))).join("\n") : "");
    cards.forEach((card) => card.predict(look));
  }

  const input = new PictureInput(context, (changed) => {
    look = changed;
    setPicture(changed);
    predict();
  });
  const choice = someModelsOf(offered, chosen, (compared) => {
    set({ models: compared.map(({ name }) => name).join(",") });
    compare(compared);
    input.fit(compared);
  });
  compare(chosen);
  predict();
  const rest = leftOut(task, models, offered);
  return h("div", { className: "bench" }, input.element, h("div", {}, choice, rest, grid), curl.element);
}

/**
 * What a model says about the picture.
 * @param {Object} model
 * @param {boolean} isMixed whether models of other kinds stand beside it
 * @param {AbortSignal} signal
 * @param {() => void} onPin called when another class is to be shown
 */
function predictionCard(model, isMixed, signal, onPin) {
  const speaker = h("span", { className: "muted" }, "…");
  const top = h("p", { className: "top" }, "…");
  const bars = classBars(model.classes);
  const view = isMixed ? modelsView(model.images) : null;
  const body = h("div", {}, top, bars.element);
  const requestOf = ({ picture, invert }) => ({
    model: model.name,
    verb: "predict",
    query: { top: bars.count(), invert: invert || undefined },
    picture,
  });

  const predict = answering(body, signal, async (look) => {
    speaker.textContent = "…";
    if (!look.picture.blob) return [noPicture()];
    view?.show(look);
    const { data, ms } = await send(requestOf(look), signal);
    const [prediction] = data.predictions;
    speaker.textContent = `${speakerOf(model, prediction, data)} · ${milliseconds(ms)}`;
    top.textContent = prediction.label ?? className(model.classes, prediction.class_index);
    bars.show(prediction);
    announce(`${model.name}: ${top.textContent}, ${certainty(prediction)}`);
    return [top, bars.element];
  });
  const pin = (index) => {
    bars.pin(index);
    onPin();
  };
  const find = hasMany(model.classes) ? new ClassSearch("Find a class", model.classes, pin).element : null;
  const heading = h("div", {}, h("h2", {}, model.name), speaker);
  const element = h("article", { className: "card verdict" }, h("header", {}, heading, view?.element ?? null), body, find);
  return { element, predict, requestOf };
}

/** The picture as a model sees it: in its size and its colours. */
function modelsView(images) {
  const canvas = h("canvas", { role: "img" });
  canvas.setAttribute("aria-label", `What this model sees: ${sizeOf(images)}`);
  const show = async ({ picture, invert }) => {
    const size = { ...(await sizeOfBitmap(picture.blob, THUMBNAIL)), ...known(images) };
    drawPixels(canvas, await pixelsOf(picture.blob, size, invert), size);
  };
  return { element: h("figure", { className: "seen", title: "What this model sees" }, canvas), show };
}

/** What a model tells of its images; a size may be any. */
function known({ height, width, channels }) {
  return { channels, ...(height && { height }), ...(width && { width }) };
}

function speakerOf({ cascade }, prediction, answer) {
  if (!cascade) return `version ${answer.model.version}`;
  const { name } = prediction.model;
  return name === cascade.small ? `${name} was sure` : `${cascade.small} unsure, ${name} answered`;
}
