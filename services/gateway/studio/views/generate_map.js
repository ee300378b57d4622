// A plane in latent space to explore: its axes are the latent vectors of two consecutive seeds.

import { answering } from "../answering.js";
import { send } from "../api.js";
import { curlOf } from "../curl.js";
import { h, milliseconds, slider } from "../dom.js";
import { imageUrl } from "../picture.js";

const REACH = 1.5;
const SIDE = 8;

export function showMap({ model, parameters, set, signal, curl }) {
  const state = {
    seed: Number(parameters.get("seed") ?? 0),
    x: Number(parameters.get("x") ?? 1),
    y: Number(parameters.get("y") ?? 0),
  };
  const map = atlas((x, y) => go({ x, y }));
  const image = h("img", { className: "large", alt: "The image of this place" });
  const note = h("p", { className: "muted" }, "…");
  const body = h("div", {}, image, note);
  let plane = null;

  const look = answering(body, signal, async () => {
    const { seed, x, y } = state;
    if (plane?.seed !== seed) plane = await planeOf(seed);
    const json = { latent: [plane.latentAt(x, y).map((each) => Number(each.toFixed(3)))] };
    curl.show(curlOf({ model, verb: "generate", json }, "place.png"));
    map.mark(x, y);
    const { data, ms } = await ask(json);
    image.src = imageUrl(data.samples[0].image);
    note.textContent = milliseconds(ms);
    return [image, note];
  });

  /** Draw the map of a seed; its plane knows the latent of every place. */
  async function planeOf(seed) {
    const ends = await ask({ seed, count: 2 });
    const [first, next] = ends.data.samples.map(({ latent }) => latent);
    const latentAt = (x, y) => first.map((each, index) => x * each + y * next[index]);
    const places = Array.from({ length: SIDE * SIDE }, (_, index) => placeOf(index));
    const { data } = await ask({ latent: places.map(([x, y]) => latentAt(x, y)) });
    map.show(data.samples.map(({ image: file }) => imageUrl(file)));
    return { seed, latentAt };
  }

  function ask(json) {
    return send({ model, verb: "generate", json, accept: "application/json" }, signal);
  }

  function go(changes) {
    Object.assign(state, changes);
    across.set(state.x);
    up.set(state.y);
    set(state);
    look();
  }

  const range = { min: -REACH, max: REACH, step: 0.01 };
  const across = slider("Across", { ...range, value: state.x }, (value) => go({ x: Number(value) }));
  const up = slider("Up", { ...range, value: state.y }, (value) => go({ y: Number(value) }));
  const another = () => go({ seed: state.seed + 2, x: 1, y: 0 });
  const controls = h(
    "div",
    { className: "controls" },
    across.element,
    up.element,
    h("button", { type: "button", className: "primary", onclick: another }, "Another map"),
  );
  look();
  return h("div", { className: "bench" }, h("div", {}, body, controls), map.element);
}

/** A square of images with a pin; `onPlace` gets the place under the pointer, within reach. */
function atlas(onPlace) {
  const pin = h("span", { className: "pin" });
  const element = h("div", { className: "atlas" });
  element.onpointermove = (event) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const at = (part) => Number((REACH * Math.max(-1, Math.min(1, part))).toFixed(2));
    onPlace(at((2 * (event.clientX - left)) / width - 1), at(1 - (2 * (event.clientY - top)) / height));
  };
  element.onpointerdown = element.onpointermove;
  return {
    element,
    show: (urls) => element.replaceChildren(...urls.map((src) => h("img", { src, alt: "" })), pin),
    mark(x, y) {
      pin.style.setProperty("--x", x / REACH);
      pin.style.setProperty("--y", y / REACH);
    },
  };
}

/** The middle of a tile: across from left to right, up from the last row to the first. */
function placeOf(index) {
  const at = (step) => REACH * ((2 * step + 1) / SIDE - 1);
  return [at(index % SIDE), -at(Math.floor(index / SIDE))];
}
