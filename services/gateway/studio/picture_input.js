// Where the picture comes from: drawn, dropped, pasted, opened, taken by a camera, or a sample.

import { startCamera } from "./camera.js";
import { h } from "./dom.js";
import { newestOnly } from "./newest.js";
import { pad } from "./pad.js";
import { SAMPLES, fromCanvas, fromFile, sample, sampleUrl } from "./picture.js";

/**
 * The pad with its tools.
 * @param {Object} context of the view: its picture, whether to invert it, and its end
 * @param {(change: {picture: Picture, invert: boolean}) => void} onChange
 * @returns {HTMLElement}
 */
export function pictureInput({ picture, invert, signal }, onChange) {
  const state = { picture, invert };
  let choices = 0;
  const note = h("p", { className: "note" });
  const board = pad(newestOnly(takeBoard));
  const inverted = h("button", { type: "button", onclick: () => toggleInvert() }, "Invert");
  const strip = sampleStrip(async (name) => show(await sample(name)));

  async function takeBoard() {
    const before = choices;
    const taken = await fromCanvas(board.canvas);
    // A picture that was chosen meanwhile is newer than this drawing or frame.
    if (choices === before) change({ picture: taken, invert: false });
  }

  function change(changed) {
    Object.assign(state, changed);
    describe();
    onChange({ ...state });
  }

  function describe() {
    inverted.setAttribute("aria-pressed", state.invert);
    strip.mark(state.picture.token);
    note.textContent = state.picture.token
      ? ""
      : `${state.picture.name}: the file stays in this tab; the page's address does not contain it.`;
  }

  async function paint() {
    // The browser knows fewer formats than the gateway does.
    const image = await createImageBitmap(state.picture.blob).catch(() => new OffscreenCanvas(1, 1));
    board.show(image, state.invert);
  }

  function show(shown, isInverted = false) {
    choices += 1;
    camera.stop();
    change({ picture: shown, invert: isInverted });
    return paint();
  }

  function toggleInvert() {
    show(state.picture, !state.invert);
  }

  const watch = async (video) => {
    board.showCamera(video);
    await takeBoard();
  };
  const camera = cameraButton(signal, watch, (problem) => (note.textContent = problem));
  const element = h(
    "section",
    { className: "picture-input", "aria-label": "Picture" },
    board.canvas,
    h(
      "div",
      { className: "tools" },
      h("button", { type: "button", onclick: () => (camera.stop(), board.clear()) }, "Clear"),
      ...openButton((file) => show(fromFile(file))),
      camera.element,
      inverted,
    ),
    strip.element,
    h("p", { className: "note" }, "Draw, drop or paste a picture, or choose a sample."),
    note,
  );
  takeFiles(element, (dropped) => show(fromFile(dropped)), signal);
  describe();
  paint();
  return element;
}

/** Ten samples, of which the one in use is marked. */
export function sampleStrip(onChoose) {
  const buttons = SAMPLES.map((name) => {
    const image = h("img", { src: sampleUrl(name), alt: name.replaceAll("_", " "), width: 28, height: 28 });
    return h("button", { type: "button", className: "sample", onclick: () => onChoose(name) }, image);
  });
  const element = h("div", { className: "samples", role: "group", "aria-label": "Samples" }, ...buttons);
  const mark = (token) =>
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", SAMPLES[index] === token));
  return { element, mark };
}

/** A button for files, and the field behind it. */
function openButton(onFile) {
  const field = h("input", { type: "file", accept: "image/*", className: "hidden", tabIndex: -1 });
  field.setAttribute("aria-label", "Picture file");
  field.onchange = () => field.files[0] && onFile(field.files[0]);
  return [h("button", { type: "button", onclick: () => field.click() }, "Open…"), field];
}

function cameraButton(signal, onFrame, onProblem) {
  const element = h("button", { type: "button" }, "Camera");
  let ending = null;
  const press = (isPressed) => element.setAttribute("aria-pressed", isPressed);
  const stop = () => {
    ending?.abort();
    ending = null;
    press(false);
  };
  const start = async () => {
    ending = new AbortController();
    const ends = AbortSignal.any([signal, ending.signal]);
    try {
      await startCamera(onFrame, ends);
      if (!ends.aborted) press(true);
    } catch (error) {
      if (ends.aborted) return;
      stop();
      onProblem(`No camera: ${error.message}. Allow it in the browser's settings.`);
    }
  };
  element.onclick = () => (ending ? stop() : start());
  return { element, stop };
}

function takeFiles(element, onFile, signal) {
  const take = (event, transfer) => {
    const file = Array.from(transfer?.files ?? []).find(({ type }) => type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    onFile(file);
  };
  document.addEventListener("paste", (event) => take(event, event.clipboardData), { signal });
  element.addEventListener("dragover", (event) => event.preventDefault());
  element.addEventListener("drop", (event) => take(event, event.dataTransfer));
}
