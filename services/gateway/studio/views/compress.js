// Compress: the picture restored from a few bytes.

import { answering } from "../answering.js";
import { send, shapeOf, signaturesOf } from "../api.js";
import { chosenOf, oneModelOf, oneOf } from "../choices.js";
import { curlBox, curlOf } from "../curl.js";
import { announce, h, milliseconds } from "../dom.js";
import { leftOut, noPicture } from "../empty.js";
import { FORMATS, encodeWithin } from "../formats.js";
import { DRAWING } from "../kinds.js";
import { fromPixels } from "../picture.js";
import { PictureInput } from "../picture_input.js";
import { pixelsOf } from "../pixels.js";
import { versionCard } from "./compress_card.js";

export const title = "Compress";
export const lead = "How well a few bytes preserve the picture, compared with JPEG and WebP of the same size.";
export const meaning =
  "On one side your picture, on the other what a network rebuilds from its [code] of a few bytes, beside JPEG and " +
  "WebP. The [PSNR] says how close they are.";

const CONTAINER = "application/vnd.lectern.code";
const COUNTS = {
  data: "data only",
  files: "whole files",
};
const NUMBER_BYTES = { DT_UINT8: 1, DT_FLOAT: 4 };

export const task = "compress";
export const pictured = true;

export async function show(context) {
  const { models, offered, chosen, parameters, set, setPicture, signal } = context;
  const counts = Object.entries(COUNTS).map(([value, text]) => ({ value, text }));
  const state = {
    picture: context.picture,
    invert: context.invert,
    model: chosen[0],
    count: chosenOf(counts, parameters.get("count")),
  };
  const curl = curlBox();
  const versions = versionCards(state, signal, curl);
  const input = new PictureInput(context, (changed) => {
    Object.assign(state, changed);
    setPicture(changed);
    versions.show();
  });
  const choice = oneModelOf(offered, state.model, (model) => {
    state.model = model;
    set({ model: model.name });
    input.fit([model]);
  });
  const count = oneOf("At equal", counts, state.count, (value) => {
    state.count = value;
    set({ count: value });
    versions.show();
  });
  await versions.show();
  const right = h("div", {}, choice, leftOut(task, models, offered), count, versions.element, explanation());
  return h("div", { className: "bench" }, input.element, right, curl.element);
}

function versionCards(state, signal, curl) {
  const cards = h("div", { className: "maps" });
  const note = h("p", { className: "muted" }, "…");
  const element = h("div", {}, cards, note);
  let takes = null;

  const show = answering(element, signal, async () => {
    const asked = { ...state };
    if (!asked.picture.blob) {
      curl.show("");
      return [noPicture()];
    }
    if (takes?.model !== asked.model) takes = await specOf(asked.model, signal);
    const { image, versions, ms, lines } = await measure(asked, takes, signal);
    curl.show(lines);
    cards.replaceChildren(...versions.map(([name, version]) => versionCard(name, version, image)));
    note.textContent = `compressed and restored in ${milliseconds(ms)}`;
    announce(`${asked.model.name}: ${takes.codeBytes} bytes`);
    return [cards, note];
  });
  return { element, show };
}

/** The images that a model takes, and the bytes of a code. */
async function specOf(model, signal) {
  const { compress } = await signaturesOf(model.name, signal);
  const { code } = compress.outputs;
  const numbers = shapeOf(code).reduce((product, size) => product * size, 1);
  return { model, ...model.images, codeBytes: numbers * NUMBER_BYTES[code.dtype] };
}

/** All versions of the picture by name: its own, what is left of it by the model, and by each format. */
async function measure(state, takes, signal) {
  const image = await imageOf(state, takes);
  const { restored, container, ms, lines } = await passThrough(state.model.name, image, signal);
  const original = { pixels: image.pixels, size: null, data: image.pixels.length, fits: true };
  const code = { pixels: restored, size: container, data: takes.codeBytes, fits: true };
  const isSmallEnough = ({ size, data }) =>
    state.count === "files" ? size <= code.size : data <= code.data;
  const encode = async (format) => [format, await encodeWithin(format, image, isSmallEnough)];
  const formats = await Promise.all(Object.keys(FORMATS).map(encode));
  return { image, versions: [["Original", original], [state.model.name, code], ...formats], ms, lines };
}

/** The picture as the model sees it, so that all versions are measured against the same values. */
async function imageOf({ picture, invert }, { width, height, channels }) {
  const size = { width, height, channels };
  const pixels = await pixelsOf(picture.blob, size, invert);
  // A drawing's sample has this form already, and its line for a terminal is the shorter one.
  const isSame = picture.medium === DRAWING && picture.token && !invert;
  return { pixels, ...size, sent: isSame ? picture : await fromPixels(pixels, size) };
}

async function passThrough(model, { sent, ...size }, signal) {
  const there = { model, verb: "compress", picture: sent, accept: CONTAINER };
  const compressed = await send(there, signal);
  const back = { model, verb: "decompress", code: compressed.data, accept: "image/png" };
  const { data, ms } = await send(back, signal);
  return {
    restored: await pixelsOf(data, size, false),
    container: compressed.data.size,
    ms: compressed.ms + ms,
    lines: `${curlOf(there)} | ${curlOf(back, "restored.png")}`,
  };
}

function explanation() {
  return h(
    "p",
    { className: "note" },
    "A model's data is its code, and its file is the container of the API. JPEG's data is its scan, and WebP's " +
      "its partitions, both at the best quality that is small enough. Their headers are those that this browser " +
      "writes, including the colour profile. Decibels are the peak signal-to-noise ratio: higher is closer.",
  );
}
