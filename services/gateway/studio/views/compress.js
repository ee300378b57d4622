// Compress: the picture restored from a few bytes.

import { answering } from "../answering.js";
import { send, shapeOf, signaturesOf } from "../api.js";
import { chosenOf, modelOptions, oneOf } from "../choices.js";
import { curlBox, curlOf } from "../curl.js";
import { announce, h, milliseconds } from "../dom.js";
import { FORMATS, encodeWithin } from "../formats.js";
import { fromGrey, greyOf } from "../picture.js";
import { pictureInput } from "../picture_input.js";
import { nothing } from "../problem.js";
import { versionCard } from "./compress_card.js";

export const title = "Compress";
export const lead = "How well a few bytes preserve the picture, compared with JPEG and WebP of the same size.";

const CONTAINER = "application/vnd.lectern.code";
const COUNTS = {
  data: "data only",
  files: "whole files",
};
const NUMBER_BYTES = { DT_UINT8: 1, DT_FLOAT: 4 };

export async function show(context) {
  const { models, parameters, set, setPicture, signal } = context;
  const options = modelOptions(models, "compress");
  if (!options.length) return nothing("compress");
  const counts = Object.entries(COUNTS).map(([value, text]) => ({ value, text }));
  const state = {
    picture: context.picture,
    invert: context.invert,
    model: chosenOf(options, parameters.get("model")),
    count: chosenOf(counts, parameters.get("count")),
  };
  const curl = curlBox();
  const cards = h("div", { className: "maps" });
  const note = h("p", { className: "muted" }, "…");
  const body = h("div", {}, cards, note);
  let takes = null;

  const compress = answering(body, signal, async () => {
    const asked = { ...state };
    if (takes?.model !== asked.model) takes = await specOf(asked.model, signal);
    const { image, versions, ms, lines } = await measure(asked, takes, signal);
    curl.show(lines);
    cards.replaceChildren(...versions.map(([name, version]) => versionCard(name, version, image)));
    note.textContent = `compressed and restored in ${milliseconds(ms)}`;
    announce(`${asked.model}: ${takes.codeBytes} bytes`);
    return [cards, note];
  });

  const input = pictureInput(context, (changed) => {
    Object.assign(state, changed);
    setPicture(changed);
    compress();
  });
  const choice = oneOf("Model", options, state.model, (model) => {
    state.model = model;
    set({ model });
    compress();
  });
  const count = oneOf("At equal", counts, state.count, (chosen) => {
    state.count = chosen;
    set({ count: chosen });
    compress();
  });
  await compress();
  const right = h("div", {}, choice, count, body, explanation());
  return h("div", { className: "bench" }, input, right, curl.element);
}

/** The size of the images that a model takes, and the bytes of a code. */
async function specOf(model, signal) {
  const { compress } = await signaturesOf(model, signal);
  const [height, width] = shapeOf(Object.values(compress.inputs)[0]);
  const { code } = compress.outputs;
  const numbers = shapeOf(code).reduce((product, size) => product * size, 1);
  return { model, height, width, codeBytes: numbers * NUMBER_BYTES[code.dtype] };
}

/** All versions of the picture by name: its own, what is left of it by the model, and by each format. */
async function measure(state, takes, signal) {
  const image = await imageOf(state, takes);
  const { restored, container, ms, lines } = await passThrough(state.model, image, signal);
  const original = { grey: image.grey, size: null, data: image.grey.length, fits: true };
  const code = { grey: restored, size: container, data: takes.codeBytes, fits: true };
  const isSmallEnough = ({ size, data }) =>
    state.count === "files" ? size <= code.size : data <= code.data;
  const encode = async (format) => [format, await encodeWithin(format, image, isSmallEnough)];
  const formats = await Promise.all(Object.keys(FORMATS).map(encode));
  return { image, versions: [["Original", original], [state.model, code], ...formats], ms, lines };
}

/** The picture as the model sees it, so that all versions are measured against the same values. */
async function imageOf({ picture, invert }, { width, height }) {
  const read = await greyOf(picture.blob, width, height);
  const grey = invert ? read.map((value) => 255 - value) : read;
  // A sample has this form already, and its line for a terminal is the shorter one.
  const sent = picture.token && !invert ? picture : await fromGrey(grey, width, height);
  return { grey, width, height, sent };
}

async function passThrough(model, { sent, width, height }, signal) {
  const there = { model, verb: "compress", picture: sent, accept: CONTAINER };
  const compressed = await send(there, signal);
  const back = { model, verb: "decompress", code: compressed.data, accept: "image/png" };
  const { data, ms } = await send(back, signal);
  return {
    restored: await greyOf(data, width, height),
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
