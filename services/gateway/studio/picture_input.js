// Where the picture comes from: drawn, dropped, pasted, opened, taken by a camera, or a sample.

import { cameraButton } from "./camera.js";
import { h } from "./dom.js";
import { DRAWING, PHOTOGRAPH, mediumOf } from "./kinds.js";
import { newestOnly } from "./newest.js";
import { BLANK, fromFile, fromFrame, fromPad, fromSample } from "./picture.js";
import { sampleStrip } from "./samples.js";
import { openButton, takeFiles } from "./sources.js";
import { pictureSurface } from "./surface.js";

const HINTS = {
  [DRAWING]: "Draw, drop or paste a picture, or choose a sample.",
  [PHOTOGRAPH]: "Drop or paste a photograph, open one, or choose a sample.",
};

/** The picture with its tools: a pad for drawings, a frame for photographs. */
export class PictureInput {
  #onChange;
  #lookFor;
  #look;
  #media;
  #surface = pictureSurface(newestOnly(() => this.#takeBoard()));
  #camera;
  #inverted = h("button", { type: "button", onclick: () => this.#show(this.#look.picture, !this.#look.invert) }, "Invert");
  #strips = [DRAWING, PHOTOGRAPH].map((medium) => ({ medium, ...sampleStrip(medium, (sample) => this.#choose(sample)) }));
  #hint = h("p", { className: "note hint" });
  #note = h("p", { className: "note" });
  // Of pictures that are still read, those from before the last choice are old.
  #choices = 0;

  /**
   * @param {Object} context of the view: its picture, whether to invert it, the models that look at
   *   it, how to find a picture for others, and its end
   * @param {(look: {picture: Picture, invert: boolean}) => void} onChange
   */
  constructor({ picture, invert, chosen, lookFor, signal }, onChange) {
    this.#onChange = onChange;
    this.#lookFor = lookFor;
    this.#look = { picture, invert };
    this.#media = new Set(chosen.map(mediumOf));
    const complain = (problem) => (this.#note.textContent = problem);
    this.#camera = cameraButton(signal, (frame) => this.#takeFrame(frame), complain);
    this.element = this.#layOut();
    takeFiles(this.element, (file) => this.#open(file), signal);
    this.#describe();
    this.#surface.show(picture, invert);
  }

  /** Offer what some models take; if none takes the picture, look at another one. */
  async fit(models) {
    const media = new Set(models.map(mediumOf));
    this.#media = media;
    if (media.has(this.#look.picture.medium)) return this.#change(this.#look);
    const { picture, invert } = await this.#lookFor(models);
    if (this.#media === media) this.#show(picture, invert);
  }

  #layOut() {
    const open = openButton((file) => this.#open(file));
    const files = h("div", { className: "tools" }, ...open, this.#camera.element, this.#inverted);
    return h(
      "section",
      { className: "picture-input", "aria-label": "Picture" },
      this.#surface.element,
      h("div", { className: "of-picture" }, this.#surface.tools, files),
      ...this.#strips.map(({ element }) => element),
      this.#hint,
      this.#note,
    );
  }

  async #takeBoard() {
    const before = this.#choices;
    const picture = this.#surface.isBlank() ? BLANK : await fromPad(this.#surface.canvas);
    if (this.#choices === before) this.#change({ picture, invert: false });
  }

  async #takeFrame(frame) {
    const before = this.#choices;
    if (this.#mediumOfFiles() === DRAWING) {
      this.#surface.showFrame(frame);
      return this.#takeBoard();
    }
    const picture = await fromFrame(frame);
    if (this.#choices !== before) return;
    this.#change({ picture, invert: false });
    this.#surface.show(picture, false);
  }

  #open(file) {
    this.#show(fromFile(file, this.#mediumOfFiles()), false);
  }

  async #choose(sample) {
    this.#show(await fromSample(sample), false);
  }

  /** What an opened file and a frame of the camera are taken for. */
  #mediumOfFiles() {
    return this.#media.has(PHOTOGRAPH) ? PHOTOGRAPH : DRAWING;
  }

  #show(picture, invert) {
    this.#choices += 1;
    this.#camera.stop();
    this.#change({ picture, invert });
    this.#surface.show(picture, invert);
  }

  #change(look) {
    this.#look = look;
    this.#describe();
    this.#onChange(look);
  }

  #describe() {
    const { picture, invert } = this.#look;
    this.#inverted.setAttribute("aria-pressed", invert);
    for (const { medium, element, mark } of this.#strips) {
      element.hidden = !this.#media.has(medium) && picture.medium !== medium;
      mark(picture.token);
    }
    this.#hint.textContent = HINTS[picture.medium];
    this.#note.textContent = remarkOn(picture);
  }
}

function remarkOn({ token, name, credit }) {
  if (token) return credit ?? "";
  return `${name}: the file stays in this tab; the page's address does not contain it.`;
}
