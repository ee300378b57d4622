// Where the picture comes from: drawn, dropped, pasted, opened, taken by a camera, or a sample.

import { cameraButton } from "./camera.js";
import { h } from "./dom.js";
import { DRAWING, PHOTOGRAPH, mediumOf } from "./kinds.js";
import { newestOnly } from "./newest.js";
import { pad } from "./pad.js";
import { photographFrame } from "./photograph.js";
import { BLANK, fromFile, fromFrame, fromPad, fromSample } from "./picture.js";
import { bitmapOf } from "./pixels.js";
import { sampleStrip } from "./samples.js";
import { openButton, takeFiles } from "./sources.js";

const HINTS = {
  [DRAWING]: "Draw, drop or paste a picture, or choose a sample.",
  [PHOTOGRAPH]: "Drop or paste a photograph, open one, or choose a sample.",
};

/**
 * The picture with its tools: a pad for drawings, a frame for photographs.
 * @param {Object} context of the view: its picture, whether to invert it, the models that look at
 *   it, and its end
 * @param {(look: {picture: Picture, invert: boolean}) => void} onChange
 * @returns {{element: HTMLElement, fit: (models: Object[]) => Promise<void>}} `fit` offers what these
 *   models take, and calls `onChange` with a picture that one of them takes
 */
export function pictureInput({ picture, invert, chosen, lookFor, signal }, onChange) {
  const state = { picture, invert, media: new Set() };
  const surface = surfaces(newestOnly(takeBoard));
  const inverted = h("button", { type: "button", onclick: () => show(state.picture, !state.invert) }, "Invert");
  const camera = cameraButton(signal, takeFrame, (problem) => (note.textContent = problem));
  const strips = [DRAWING, PHOTOGRAPH].map((medium) => ({ medium, ...sampleStrip(medium, choose) }));
  const hint = h("p", { className: "note hint" });
  const note = h("p", { className: "note" });
  let shown = 0;

  async function takeBoard() {
    const before = shown;
    const taken = surface.isBlank() ? BLANK : await fromPad(surface.canvas);
    // A picture that was chosen meanwhile is newer than this drawing.
    if (shown === before) change({ picture: taken, invert: false });
  }

  async function takeFrame(frame) {
    const before = shown;
    if (mediumOfFiles() === DRAWING) {
      surface.showFrame(frame);
      return takeBoard();
    }
    const taken = await fromFrame(frame);
    if (shown !== before) return;
    change({ picture: taken, invert: false });
    surface.show(taken, false);
  }

  async function choose(sample) {
    show(await fromSample(sample));
  }

  /** What an opened file and a frame of the camera are taken for. */
  function mediumOfFiles() {
    return state.media.has(PHOTOGRAPH) ? PHOTOGRAPH : DRAWING;
  }

  function show(chosenPicture, isInverted = false) {
    shown += 1;
    camera.stop();
    change({ picture: chosenPicture, invert: isInverted });
    surface.show(chosenPicture, isInverted);
  }

  function change(look) {
    Object.assign(state, look);
    describe();
    onChange(look);
  }

  function describe() {
    inverted.setAttribute("aria-pressed", state.invert);
    const media = new Set([...state.media, state.picture.medium]);
    for (const { medium, element, mark } of strips) {
      element.hidden = !media.has(medium);
      mark(state.picture.token);
    }
    hint.textContent = HINTS[state.picture.medium];
    note.textContent = remarkOn(state.picture);
  }

  async function fit(models) {
    const media = new Set(models.map(mediumOf));
    state.media = media;
    if (media.has(state.picture.medium)) return change({ picture: state.picture, invert: state.invert });
    const look = await lookFor(models);
    if (state.media === media) show(look.picture, look.invert);
  }

  const takeFile = (file) => show(fromFile(file, mediumOfFiles()));
  const files = h("div", { className: "tools" }, ...openButton(takeFile), camera.element, inverted);
  const element = h(
    "section",
    { className: "picture-input", "aria-label": "Picture" },
    surface.element,
    h("div", { className: "of-picture" }, surface.tools, files),
    ...strips.map((strip) => strip.element),
    hint,
    note,
  );
  takeFiles(element, takeFile, signal);
  state.media = new Set(chosen.map(mediumOf));
  describe();
  surface.show(picture, invert);
  return { element, fit };
}

/** The pad and the frame, of which the one for the picture's medium is shown. */
function surfaces(onDraw) {
  const board = pad(onDraw);
  const frame = photographFrame();
  const tools = h("div", { className: "pen" }, h("div", { className: "tools" }, ...board.tools), board.brush);
  const element = h("div", { className: "surface" }, board.canvas, frame.element);
  const turnTo = (medium) => {
    board.canvas.hidden = tools.hidden = medium !== DRAWING;
    frame.element.hidden = medium !== PHOTOGRAPH;
  };
  let newest = null;

  async function show(picture, invert) {
    newest = picture;
    turnTo(picture.medium);
    const image = picture.blob && (await bitmapOf(picture.blob));
    if (newest !== picture) return;
    if (picture.medium === DRAWING) board.show(image, invert);
    else frame.show(image, invert, picture.name);
  }

  function showFrame(image) {
    newest = null;
    turnTo(DRAWING);
    board.showFrame(image);
  }

  return { element, tools, canvas: board.canvas, isBlank: board.isBlank, show, showFrame };
}

function remarkOn({ token, name, credit }) {
  if (token) return credit ?? "";
  return `${name}: the file stays in this tab; the page's address does not contain it.`;
}
