// Inside: the outputs of the layers, and images that activate their channels.

import { answering } from "../answering.js";
import { send, shapeOf, signaturesOf } from "../api.js";
import { chosenOf, modelOptions, oneOf } from "../choices.js";
import { curlBox, curlOf } from "../curl.js";
import { announce, h, milliseconds } from "../dom.js";
import { pictureInput } from "../picture_input.js";
import { nothing } from "../problem.js";
import { drawTiles } from "../tiles.js";
import { excitingImages } from "./inside_channels.js";

export const title = "Inside";
export const lead = "The output of each layer. White is the layer's largest number, black its smallest.";

export async function show(context) {
  const { models, parameters, set, setPicture, signal } = context;
  const options = modelOptions(models, "activations");
  if (!options.length) return nothing("activations");
  const state = {
    picture: context.picture,
    invert: context.invert,
    model: chosenOf(options, parameters.get("model")),
    layer: parameters.get("layer"),
  };
  const curl = curlBox();
  const layers = h("div");
  const channels = h("div", { className: "wide" });
  const map = layerMap(state, signal);
  let found = [];

  const open = answering(layers, signal, async (model, layer) => {
    const signatures = await signaturesOf(model, signal);
    found = layersOf(signatures);
    const isFound = found.some(({ value }) => value === layer);
    Object.assign(state, { model, layer: isFound ? layer : widest(found) });
    channels.replaceChildren(excitingImages(context, model, signatures));
    look();
    return [oneOf("Layer", found, state.layer, choose)];
  });

  function choose(layer) {
    state.layer = layer;
    set({ layer });
    look();
  }

  function look() {
    // Undefined until the layers of the model are known.
    const layer = found.find(({ value }) => value === state.layer);
    if (!layer) return;
    map.look(layer.shape);
    curl.show(curlOf(requestOf(state), "activations.png"));
  }

  const input = pictureInput(context, (changed) => {
    Object.assign(state, changed);
    setPicture(changed);
    look();
  });
  const choice = oneOf("Model", options, state.model, (model) => {
    set({ model, layer: null, of: null, channel: null });
    open(model, null);
  });
  await open(state.model, state.layer);
  return h("div", { className: "bench" }, input, h("div", {}, choice, layers, map.element), curl.element, channels);
}

function requestOf({ model, picture, invert, layer }) {
  return { model, verb: "activations", query: { layer, invert: invert || undefined }, picture };
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

function layerMap(state, signal) {
  const canvas = h("canvas", { className: "tiles", role: "img" });
  const note = h("p", { className: "muted" }, "…");
  const body = h("div", {}, canvas, note);

  const look = answering(body, signal, async (shape) => {
    const { layer } = state;
    const { data, ms } = await send({ ...requestOf(state), accept: "image/png" }, signal);
    // Only a feature map has a tile for each channel.
    drawTiles(canvas, await createImageBitmap(data), shape.length === 3 ? shape[2] : 1);
    canvas.setAttribute("aria-label", `The channels of layer ${layer}, one tile each`);
    note.textContent = `${layer} · ${milliseconds(ms)}`;
    announce(`Layer ${layer}`);
    return [canvas, note];
  });
  return { element: body, look };
}
