// What shows the picture: the pad if it is a drawing, the frame if it is a photograph.

import { h } from "./dom.js";
import { DRAWING, PHOTOGRAPH } from "./kinds.js";
import { pad } from "./pad.js";
import { photographFrame } from "./photograph.js";
import { bitmapOf } from "./pixels.js";

/**
 * The pad with its tools and the frame, of which those for the picture's medium are shown.
 * @param {() => void} onDraw called while something is drawn on the pad
 */
export function pictureSurface(onDraw) {
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
