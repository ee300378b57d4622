// A walk between two pictures, along the arc between their latent vectors.

import { answering } from "../answering.js";
import { send } from "../api.js";
import { curlOf } from "../curl.js";
import { announce, h, milliseconds, slider } from "../dom.js";
import { SAMPLES, encodeFile, imageUrl, negativeOf, pictureOf } from "../picture.js";
import { sampleStrip } from "../picture_input.js";

const STEPS = 24;
const FRAME_MS = 80;

export function showWalk({ model, parameters, set, picture, invert, signal, curl }) {
  // Without a name, it starts from the picture that all views look at.
  const ends = { from: parameters.get("from"), to: parameters.get("to") ?? SAMPLES[1] };
  const image = h("img", { className: "large", alt: "A step of the walk" });
  const note = h("p", { className: "muted" }, "…");
  const body = h("div", {}, image, note);
  let frames = [];

  const start = () => (invert ? negativeOf(picture) : picture);

  const walk = answering(body, signal, async () => {
    const pictures = await Promise.all([ends.from ? pictureOf(ends.from) : start(), pictureOf(ends.to)]);
    const instances = await Promise.all(pictures.map(({ blob }) => encodeFile(blob)));
    const request = { model, verb: "generate", json: { instances, steps: STEPS } };
    curl.show(curlOf(request, "walk.png"));
    const { data, ms } = await send({ ...request, accept: "application/json" }, signal);
    frames = data.samples.map(({ image: file }) => imageUrl(file));
    note.textContent = `${frames.length} steps · ${milliseconds(ms)}`;
    announce("The walk is ready");
    showStep(0);
    return [image, note];
  });

  function showStep(step) {
    if (!frames.length) return;
    image.src = frames[step];
    position.set(step);
  }

  const position = slider("Step", { min: 0, max: STEPS - 1, step: 1, value: 0 }, (step) => {
    player.stop();
    showStep(Number(step));
  });
  const player = playButton(signal, () => showStep((Number(position.input.value) + 1) % STEPS));
  const strips = ["from", "to"].map((end) => {
    const strip = sampleStrip((name) => {
      ends[end] = name;
      strip.mark(name);
      set(ends);
      walk();
    });
    strip.mark(ends[end] ?? picture.token);
    return h("section", { className: "end" }, h("h2", {}, end === "from" ? "From" : "To"), strip.element);
  });
  walk();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) player.start();
  const controls = h("div", { className: "controls" }, player.element, position.element);
  return h("div", { className: "bench" }, h("div", {}, body, controls), h("div", { className: "ends" }, ...strips));
}

function playButton(signal, onFrame) {
  const element = h("button", { type: "button", className: "primary" }, "Play");
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    element.textContent = "Play";
  };
  const start = () => {
    timer = setInterval(onFrame, FRAME_MS);
    element.textContent = "Pause";
  };
  element.onclick = () => (timer ? stop() : start());
  signal.addEventListener("abort", stop);
  return { element, start, stop };
}
