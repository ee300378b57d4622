// Inside: the outputs of the layers, and images that activate their channels.

import { answering } from "../answering.js";
import { send, shapeOf, signaturesOf } from "../api.js";
import { hasMany, scoreBars } from "../bars.js";
import { oneModelOf } from "../choices.js";
import { curlBox, curlOf } from "../curl.js";
import { announce, h, milliseconds } from "../dom.js";
import { leftOut, noPicture } from "../empty.js";
import { PictureInput } from "../picture_input.js";
import { drawTiles } from "../tiles.js";
import { featureMap } from "./inside_channel.js";
import { excitingImages } from "./inside_channels.js";
import { networkOf } from "./inside_network.js";

export const title = "Inside";
export const lead = "The output of each layer. White is the layer's largest number, black its smallest.";
export const meaning =
  "The [activations] of one layer for your picture: each tile is a [feature map], bright where its pattern was " +
  "found; click one to look closer. Layers shrink on the way to the [logits], one score for each class.";

export const task = "activations";
export const pictured = true;

export async function show(context) {
  const { models, offered, chosen, parameters, set, setPicture, signal } = context;
  const state = { picture: context.picture, invert: context.invert, model: chosen[0], layer: parameters.get("layer") };
  const curl = curlBox();
  const layers = layerChoice(context, state, look);
  const map = layerMap(state, signal);

  function look() {
    const shape = layers.shape();
    curl.show(shape && state.picture.blob ? curlOf(requestOf(state), "activations.png") : "");
    if (shape) map.look(shape);
  }

  const input = new PictureInput(context, (changed) => {
    Object.assign(state, changed);
    setPicture(changed);
    look();
  });
  const choice = oneModelOf(offered, state.model, (model) => {
    set({ model: model.name, layer: null, of: null, channel: null });
    layers.open(model, null);
    input.fit([model]);
  });
  await layers.open(state.model, state.layer);
  const right = h("div", {}, choice, leftOut(task, models, offered), layers.element, map.element);
  return h("div", { className: "bench" }, input.element, right, curl.element, layers.channels);
}

/** The choice of a layer, and what its channels look for. */
function layerChoice(context, state, onChoose) {
  const element = h("div");
  const channels = h("div", { className: "wide" });
  let found = [];

  const open = answering(element, context.signal, async (model, layer) => {
    // Until the model tells its layers, there is nothing to look at.
    found = [];
    const signatures = await signaturesOf(model.name, context.signal);
    found = layersOf(signatures);
    const isFound = found.some(({ value }) => value === layer);
    Object.assign(state, { model, signatures, layer: isFound ? layer : widest(found) });
    channels.replaceChildren(excitingImages(context, model, signatures));
    onChoose();
    return [networkOf(found, state.layer, choose)];
  });

  function choose(layer) {
    state.layer = layer;
    context.set({ layer });
    onChoose();
  }

  return { element, channels, open, shape: () => found.find(({ value }) => value === state.layer)?.shape };
}

function requestOf({ model, picture, invert, layer }) {
  return { model: model.name, verb: "activations", query: { layer, invert: invert || undefined }, picture };
}

/** The layers on the way from the picture's size down to the classes; metadata has no order. */
function layersOf({ activations }) {
  const sizeOf = ([, tensor]) => {
    const shape = shapeOf(tensor);
    return [shape.length, shape.slice(0, -1).reduce((product, size) => product * size, 1), shape.at(-1)];
  };
  const descending = (first, second) => {
    const [one, other] = [sizeOf(first), sizeOf(second)];
    const index = one.findIndex((size, place) => size !== other[place]);
    return index < 0 ? 0 : other[index] - one[index];
  };
  return Object.entries(activations.outputs)
    .sort(descending)
    .map(([name, tensor]) => ({ value: name, text: `${name} ${shapeOf(tensor).join("×")}`, shape: shapeOf(tensor) }));
}

function widest(layers) {
  const count = ({ shape }) => shape.reduce((product, size) => product * size, 1);
  return layers.reduce((best, each) => (count(each) > count(best) ? each : best)).value;
}

/** Whether a layer has a number for each class, few enough to name them. */
function isAnswer(shape, { classes }) {
  return shape.length === 1 && shape[0] === classes.length && !hasMany(classes);
}

function layerMap(state, signal) {
  const canvas = h("canvas", { className: "tiles", role: "img" });
  const note = h("p", { className: "muted" }, "…");
  const body = h("div", {}, canvas, note);
  const chosen = featureMap(state, canvas, signal);

  const look = answering(body, signal, async (shape) => {
    const { layer, picture } = state;
    if (!picture.blob) return [noPicture()];
    if (isAnswer(shape, state.model)) {
      const { data } = await send({ ...requestOf(state), accept: "application/json" }, signal);
      return [scoreBars(state.model.classes, data.activations[0].activation)];
    }
    const { data, ms } = await send({ ...requestOf(state), accept: "image/png" }, signal);
    // Only a feature map has a tile for each channel.
    const count = shape.length === 3 ? shape[2] : 1;
    drawTiles(canvas, await createImageBitmap(data), count);
    canvas.setAttribute("aria-label", `The channels of layer ${layer}, one tile each`);
    note.textContent = `${layer} · ${milliseconds(ms)}`;
    announce(`Layer ${layer}`);
    chosen.open(count, state.signatures);
    return [canvas, note, chosen.element];
  });
  return { element: body, look };
}
