// Images that activate a channel, made from noise by gradient ascent.

import { answering } from "../answering.js";
import { familyOf, send, shapeOf } from "../api.js";
import { chosenOf, oneOf } from "../choices.js";
import { curlBox, curlOf } from "../curl.js";
import { h, milliseconds } from "../dom.js";
import { imageUrl } from "../picture.js";

const FAMILY = "feature_visualization_";
// As many as gradient ascent makes while a person waits.
const AT_ONCE = 4;

/**
 * The images of a layer's channels, a few at a time.
 * @param {Object} context of the view
 * @param {Object} model
 * @param {Object} signatures of the model
 */
export function excitingImages({ parameters, set, signal }, model, signatures) {
  const options = layersOf(signatures);
  if (!options.length) return "";
  // The last layer by name, which in a classifier tells the classes apart.
  const layer = chosenOf(options.toReversed(), parameters.get("of"));
  const countOf = (name) => options.find(({ value }) => value === name).count;
  const first = within(countOf(layer), Number(parameters.get("channel") ?? 0));
  const state = { model, layer, first, seed: Number(parameters.get("seed") ?? 0) };
  const curl = curlBox("These channels from the command line");
  const images = channelImages(state, countOf, signal, curl);

  function choose(changes) {
    Object.assign(state, changes);
    set({ of: state.layer, channel: state.first, seed: state.seed });
    images.show();
  }

  const turn = (step) => choose({ first: within(countOf(state.layer), state.first + step) });
  const button = (text, onclick) => h("button", { type: "button", onclick }, text);
  images.show();
  return h(
    "section",
    { className: "more" },
    h("h2", {}, "What the channels look for"),
    h("p", { className: "muted" }, "Images optimized from noise to maximize the activation of one channel."),
    oneOf("Layer", options, layer, (name) => choose({ layer: name, first: 0 })),
    h(
      "div",
      { className: "buttons" },
      button("Previous channels", () => turn(-AT_ONCE)),
      button("Next channels", () => turn(AT_ONCE)),
      button("Another start", () => choose({ seed: state.seed + 1 })),
    ),
    images.element,
    curl.element,
  );
}

function channelImages(state, countOf, signal, curl) {
  const grid = h("div", { className: "maps" });
  const note = h("p", { className: "muted" }, "…");
  const element = h("div", {}, grid, note);

  const show = answering(element, signal, async () => {
    const { layer, model } = state;
    const count = countOf(layer);
    const request = requestOf(state, count);
    curl.show(curlOf({ ...request, accept: undefined }, "channels.png"));
    const { data, ms } = await send(request, signal);
    // A layer of as many channels as there are classes is the last one.
    const names = count === model.classes.length ? model.classes : [];
    grid.replaceChildren(...data.visualizations.map((each) => channelFigure(each, names)));
    const shown = `${data.visualizations.length} of the ${count} channels of ${layer}`;
    note.textContent = `${shown} · ${milliseconds(ms)}`;
    return [grid, note];
  });
  return { element, show };
}

function layersOf(signatures) {
  return familyOf(signatures, FAMILY).map((layer) => {
    const activation = signatures.activations.outputs[layer];
    return { value: layer, text: layer, count: activation ? shapeOf(activation).at(-1) : AT_ONCE };
  });
}

/** The first channel of a page that there is; an address may ask for any. */
function within(count, first) {
  const last = AT_ONCE * Math.floor((count - 1) / AT_ONCE);
  return Math.trunc(Math.min(Math.max(0, first), last)) || 0;
}

function requestOf({ model, layer, first, seed }, count) {
  const channels = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, index) => first + index);
  return { model: model.name, verb: "visualize", json: { layer, channels, seed }, accept: "application/json" };
}

function channelFigure({ channel, activation, image }, classes) {
  const name = classes[channel] ?? `channel ${channel}`;
  const picture = h("img", { src: imageUrl(image), alt: `Image that activates ${name}` });
  const caption = h("figcaption", {}, name, h("span", { className: "muted" }, activation.toFixed(1)));
  return h("figure", { className: "card map" }, picture, caption);
}
