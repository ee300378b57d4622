// A photograph as it was taken: in its colours, its shape, and upright.

import { h } from "./dom.js";
import { reduced } from "./pixels.js";

const LONGEST_SIDE = 560;

/** A frame that shows photographs. */
export function photographFrame() {
  const canvas = h("canvas", { role: "img" });
  const excuse = h("p", { className: "note" });
  const element = h("div", { className: "photograph" }, canvas, excuse);
  return {
    element,
    /** Show an image; null if the browser cannot read it. */
    show(image, invert, name) {
      canvas.hidden = !image;
      excuse.textContent = image ? "" : `This browser cannot show ${name}. The models may read it all the same.`;
      if (!image) return;
      canvas.setAttribute("aria-label", `The picture: ${name}`);
      drawPhotograph(canvas, image, invert);
    },
  };
}

/** Draw an image on a canvas, which takes its shape. */
export function drawPhotograph(canvas, image, invert) {
  Object.assign(canvas, reduced(image, LONGEST_SIDE));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  // Transparent pixels are black to the models.
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  if (!invert) return;
  context.globalCompositeOperation = "difference";
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
}
