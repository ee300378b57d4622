// Saliency maps as pictures: pixels for a class in red and pixels against it in blue, over the picture.

import { DRAWING } from "./kinds.js";
import { drawPhotograph } from "./photograph.js";
import { bitmapOf, drawPixels, pixelsOf } from "./pixels.js";

const SIDE = 280;
// At full strength the picture is darker, so that colours stand out on its white parts too …
const DIMMED = 0.3;
// … and a photograph loses its own colours, which are no attribution.
const GREYED = 0.6;
const FOR = [255, 66, 48];
const AGAINST = [64, 140, 255];
// A few pixels far above all others must not hide the rest.
const FULL_COLOUR_FROM = 0.98;

/** An attribution, [height, width] with any sign and scale, as a layer of colours. */
export function heatOf(attribution) {
  const [height, width] = [attribution.length, attribution[0].length];
  const values = Float32Array.from(attribution.flat());
  const magnitudes = values.map(Math.abs).sort();
  const most = magnitudes[Math.floor(FULL_COLOUR_FROM * (magnitudes.length - 1))] || magnitudes.at(-1) || 1;
  const rgba = new Uint8ClampedArray(4 * values.length);
  values.forEach((value, index) => rgba.set([...(value > 0 ? FOR : AGAINST), (255 * Math.abs(value)) / most], 4 * index));
  const layer = new OffscreenCanvas(width, height);
  layer.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
  return layer;
}

/**
 * What a map lies over: a drawing as the model sees it, or a photograph as it was taken. The gateway
 * scales both sides of a picture to the model's size, so the map covers the whole picture.
 * @param {{picture: Picture, invert: boolean}} look
 * @param {{channels: number}} images that the model takes
 * @param {OffscreenCanvas} heat
 */
export async function groundOf({ picture, invert }, { channels }, heat) {
  const ground = new OffscreenCanvas(SIDE, Math.round((SIDE * heat.height) / heat.width));
  const image = picture.medium === DRAWING ? null : await bitmapOf(picture.blob);
  if (image) {
    drawPhotograph(ground, image, invert);
    return ground;
  }
  const seen = new OffscreenCanvas(heat.width, heat.height);
  const size = { width: heat.width, height: heat.height, channels };
  drawPixels(seen, await pixelsOf(picture.blob, size, invert), size);
  const context = ground.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(seen, 0, 0, ground.width, ground.height);
  return ground;
}

/**
 * Draw a picture and its map.
 * @param {HTMLCanvasElement} canvas takes the shape of the picture
 * @param {OffscreenCanvas} ground
 * @param {OffscreenCanvas} heat stretched over the whole picture
 * @param {number} strength opacity of the strongest colours, 0 to 1
 */
export function drawHeat(canvas, ground, heat, strength) {
  const { width, height } = ground;
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(ground, 0, 0);
  context.globalCompositeOperation = "saturation";
  context.fillStyle = `rgb(0 0 0 / ${GREYED * strength})`;
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = "source-over";
  context.fillStyle = `rgb(0 0 0 / ${DIMMED * strength})`;
  context.fillRect(0, 0, width, height);
  context.globalAlpha = strength;
  context.drawImage(heat, 0, 0, width, height);
}
