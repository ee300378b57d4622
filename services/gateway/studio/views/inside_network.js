// The network as a picture: its layers from the input to the answer, each with its shape, to choose from.

import { oneOf } from "../choices.js";
import { h } from "../dom.js";

// More layers than this are a list, as in `oneOf`.
const DRAWN_AT_MOST = 12;
const TALLEST = 56;

/**
 * The choice of a layer.
 * @param {Array<{value: string, text: string, shape: number[]}>} layers in the order of the network
 * @param {string} chosen
 * @param {(layer: string) => void} onChoose
 */
export function networkOf(layers, chosen, onChoose) {
  const element = oneOf("Layer", layers, chosen, onChoose);
  if (layers.length > DRAWN_AT_MOST) return element;
  const tallest = Math.max(...layers.map(({ shape }) => heightOf(shape)));
  element.classList.add("network");
  element.querySelectorAll("button").forEach((button, index) => {
    const { shape } = layers[index];
    button.prepend(block(shape, heightOf(shape) / tallest));
  });
  return element;
}

/** A feature map is as tall as its picture, a vector about as tall as it has numbers. */
function heightOf(shape) {
  return shape.length > 1 ? shape[0] : 4 * Math.log2(shape[0] + 1);
}

/** A box as deep as a layer has channels; a vector is a thin bar. */
function block(shape, share) {
  const element = h("span", { className: "block", "aria-hidden": "true" });
  const depth = shape.length > 1 ? 6 + 4 * Math.log2(shape.at(-1) + 1) : 6;
  element.style.setProperty("--tall", `${Math.max(8, TALLEST * share)}px`);
  element.style.setProperty("--deep", `${depth}px`);
  return element;
}
