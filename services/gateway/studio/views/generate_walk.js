// A walk between two pictures, along the arc between their latent vectors.

import { answering } from "../answering.js";
import { send } from "../api.js";
import { curlOf } from "../curl.js";
import { announce, h, milliseconds, slider } from "../dom.js";
import { encodeFile, firstPictureOf, imageUrl, negativeOf, pictureOf } from "../picture.js";
import { sampleStrip, samplesOf } from "../samples.js";

const STEPS = 24;
const FRAME_MS = 80;

export async function showWalk({ model, medium, parameters, set, picture, invert, signal, curl }) {
  const [, second] = await samplesOf(medium);
  // Without a name, it starts from the picture that all views look at.
  const ends = { from: parameters.get("from"), to: parameters.get("to") ?? second?.name };
  const image = h("img", { className: "large", alt: "A step of the walk" });
  const note = h("p", { className: "muted" }, "…");
  const body = h("div", {}, image, note);
  const position = slider("Step", { min: 0, max: STEPS - 1, step: 1, value: 0 }, (step) => {
    player.stop();
    showStep(Number(step));
  });
  const player = playButton(signal, () => showStep((Number(position.input.value) + 1) % STEPS));
  let frames = [];

  const walk = answering(body, signal, async () => {
    const request = await requestOf(model, medium, ends, { picture, invert });
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

  const choose = (end, name) => {
    ends[end] = name;
    set(ends);
    walk();
  };
  walk();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) player.start();
  const controls = h("div", { className: "controls" }, player.element, position.element);
  const strips = [
    endStrip("From", medium, ends.from ?? picture.token, (name) => choose("from", name)),
    endStrip("To", medium, ends.to, (name) => choose("to", name)),
  ];
  return h("div", { className: "bench" }, h("div", {}, body, controls), h("div", { className: "ends" }, ...strips));
}

async function requestOf(model, medium, { from, to }, { picture, invert }) {
  // Between an empty pad and something there is nothing to walk.
  const given = picture.blob ? picture : await firstPictureOf(medium);
  const start = from ? pictureOf(from) : invert ? negativeOf(given) : given;
  const pictures = await Promise.all([start, pictureOf(to)]);
  const instances = await Promise.all(pictures.map(({ blob }) => encodeFile(blob)));
  return { model, verb: "generate", json: { instances, steps: STEPS } };
}

function endStrip(title, medium, token, onChoose) {
  const strip = sampleStrip(medium, ({ name }) => {
    strip.mark(name);
    onChoose(name);
  });
  strip.mark(token);
  return h("section", { className: "end" }, h("h2", {}, title), strip.element);
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
