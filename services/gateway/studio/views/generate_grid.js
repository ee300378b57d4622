// Images of one seed after the other.

import { answering } from "../answering.js";
import { send } from "../api.js";
import { curlOf } from "../curl.js";
import { announce, h, milliseconds, slider } from "../dom.js";
import { imageUrl } from "../picture.js";

const COUNT = 24;

export function showGrid({ model, parameters, set, change, signal, curl }) {
  const state = {
    seed: Number(parameters.get("seed") ?? 0),
    temperature: Number(parameters.get("temperature") ?? 1),
  };
  const images = h("div", { className: "gallery" });
  const note = h("p", { className: "muted" }, "…");
  const body = h("div", {}, images, note);

  const generate = answering(body, signal, async () => {
    const request = { model, verb: "generate", json: { count: COUNT, ...state } };
    curl.show(curlOf(request, "generated.png"));
    const { data, ms } = await send({ ...request, accept: "application/json" }, signal);
    images.replaceChildren(...data.samples.map(sampleButton));
    note.textContent = `${data.samples.length} images · ${milliseconds(ms)} · click an image to change it`;
    announce(`${data.samples.length} images from seed ${state.seed} on`);
    return [images, note];
  });

  function sampleButton({ seed, latent, image }) {
    const picture = h("img", { src: imageUrl(image), alt: `seed ${seed}` });
    const numbers = latent.map((each) => each.toFixed(2)).join();
    const take = () => change({ form: "sliders", seed, latent: numbers });
    return h("button", { type: "button", className: "sample", onclick: take }, picture);
  }

  function choose(changes) {
    Object.assign(state, changes);
    seed.value = state.seed;
    set(state);
    generate();
  }

  const seed = h("input", { type: "number", value: state.seed, step: 1 });
  seed.onchange = () => choose({ seed: Math.trunc(Number(seed.value)) || 0 });
  const range = { min: 0, max: 3, step: 0.1, value: state.temperature };
  const heat = (value) => choose({ temperature: Number(value) });
  const more = () => choose({ seed: state.seed + COUNT });
  const controls = h(
    "div",
    { className: "controls" },
    h("label", {}, "First seed", seed),
    slider("Temperature", range, heat).element,
    h("button", { type: "button", className: "primary", onclick: more }, "More"),
  );
  generate();
  return h("div", {}, controls, body);
}
