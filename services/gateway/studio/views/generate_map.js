// A plane through latent space to wander over: across lies the image of one seed, up that of the next.

import { send } from "../api.js";
import { curlOf } from "../curl.js";
import { h, milliseconds, slider } from "../dom.js";
import { newestOnly } from "../newest.js";
import { imageUrl } from "../picture.js";
import { problemBox } from "../problem.js";

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
  let axes = null;

  async function open() {
    try {
      const ends = await ask({ seed: state.seed, count: 2 });
      axes = ends.data.samples.map(({ latent }) => latent);
      const places = Array.from({ length: SIDE * SIDE }, (_, index) => placeOf(index));
      const { data } = await ask({ latent: places.map(([x, y]) => latentAt(x, y)) });
      map.show(data.samples.map(({ image: file }) => imageUrl(file)));
      await look();
    } catch (error) {
      if (!signal.aborted) body.replaceChildren(problemBox(error, open));
    }
  }

  const look = newestOnly(async () => {
    const json = { latent: [latentAt(state.x, state.y).map((each) => Number(each.toFixed(3)))] };
    curl.show(curlOf({ model, verb: "generate", json }, "place.png"));
    map.mark(state.x, state.y);
    try {
      const { data, ms } = await ask(json);
      image.src = imageUrl(data.samples[0].image);
      note.textContent = milliseconds(ms);
      body.replaceChildren(image, note);
    } catch (error) {
      if (!signal.aborted) body.replaceChildren(problemBox(error, look));
    }
  });

  function ask(json) {
    return send({ model, verb: "generate", json, accept: "application/json" }, signal);
  }

  function latentAt(x, y) {
    return axes[0].map((across, index) => x * across + y * axes[1][index]);
  }

  function go(changes) {
    Object.assign(state, changes);
    across.set(state.x);
    up.set(state.y);
    set(state);
    if (axes) look();
  }

  const range = { min: -REACH, max: REACH, step: 0.01 };
  const across = slider("Across", { ...range, value: state.x }, (value) => go({ x: Number(value) }));
  const up = slider("Up", { ...range, value: state.y }, (value) => go({ y: Number(value) }));
  const another = () => {
    go({ seed: state.seed + 2, x: 1, y: 0 });
    open();
  };
  const controls = h(
    "div",
    { className: "controls" },
    across.element,
    up.element,
    h("button", { type: "button", className: "primary", onclick: another }, "Another map"),
  );
  open();
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
