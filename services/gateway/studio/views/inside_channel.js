// One feature map: where it fires in the picture, and what its filter looks for.

import { answering } from "../answering.js";
import { familyOf, send } from "../api.js";
import { h, slider } from "../dom.js";
import { imageUrl } from "../picture.js";
import { tileAt, tileUnder } from "../tiles.js";

const FAMILY = "feature_visualization_";

/**
 * The feature map that is chosen on a sheet of tiles, or by a slider.
 * @param {Object} state of the view: its model and layer
 * @param {HTMLCanvasElement} sheet of the layer's tiles
 * @param {AbortSignal} signal
 * @returns {{element: HTMLElement, open: Function}} `open(count, signatures)` is called for each new
 *   sheet; a count of 1 has nothing to choose
 */
export function featureMap(state, sheet, signal) {
  const element = h("section", { className: "feature-map", hidden: true, "aria-label": "One feature map" });
  const fires = h("canvas", { role: "img" });
  const wanted = h("div");
  const moved = h("div");
  let count = 1;
  let looksFor = [];
  let channel = 0;

  const ask = answering(wanted, signal, async () => {
    const { model, layer } = state;
    if (!looksFor.includes(layer)) return [h("p", { className: "muted" }, "This layer has no image of what it looks for.")];
    const json = { layer, channels: [channel], seed: 0 };
    const { data } = await send({ model: model.name, verb: "visualize", json, accept: "application/json" }, signal);
    const alt = `What channel ${channel} of ${layer} looks for`;
    return [figure(h("img", { src: imageUrl(data.visualizations[0].image), alt }), "What it looks for")];
  });

  function draw() {
    const { x, y, width, height } = tileAt(sheet, count, channel);
    Object.assign(fires, { width, height });
    fires.getContext("2d").drawImage(sheet, x, y, width, height, 0, 0, width, height);
    fires.setAttribute("aria-label", `Where channel ${channel} of ${state.layer} fires`);
  }

  function choose(chosen) {
    channel = chosen;
    draw();
    ask();
  }

  function open(channels, signatures) {
    const isSame = count === channels && moved.dataset.layer === state.layer;
    count = channels;
    looksFor = familyOf(signatures, FAMILY);
    element.hidden = count === 1;
    if (element.hidden) return;
    if (isSame) return draw();
    moved.dataset.layer = state.layer;
    const range = { min: 0, max: count - 1, step: 1, value: 0 };
    const { element: control, set } = slider("Feature map", range, (value) => choose(Number(value)));
    moved.replaceChildren(control);
    sheet.onclick = ({ offsetX, offsetY }) => {
      const scale = sheet.width / sheet.clientWidth;
      const index = tileUnder(sheet, count, offsetX * scale, offsetY * scale);
      if (index === null) return;
      set(index);
      choose(index);
    };
    choose(0);
  }

  element.append(moved, h("div", { className: "pair" }, figure(fires, "Where it fires"), wanted));
  return { element, open };
}

function figure(picture, caption) {
  return h("figure", { className: "card map" }, picture, h("figcaption", {}, caption));
}
