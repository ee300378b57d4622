// The picture that all views look at: a sample, a drawing, a file or a frame of the camera.

import { words } from "./dom.js";
import { DRAWING, PHOTOGRAPH } from "./kinds.js";
import { pixelFile, pixelsOf, sizeOfBitmap } from "./pixels.js";
import { findSample, samplesOf } from "./samples.js";

/** The side in pixels of what is drawn. */
const SIDE = 28;

/**
 * @typedef {Object} Picture
 * @property {Blob|null} blob an image file; null if there is nothing to see yet
 * @property {string} medium DRAWING or PHOTOGRAPH
 * @property {string|null} token what stands in the address for it; null if it is too large for that
 * @property {string} name for people
 * @property {string} [credit] the author, where the licence asks for the name
 * @property {{source: string|null, operand: string}} shell how curl gets it
 */

/** A pad on which nothing is drawn. */
export const BLANK = { blob: null, medium: DRAWING, token: "blank", name: "nothing", shell: null };

/**
 * Read the picture that an address names.
 * @throws {Error} there is no such picture, or it is cut off
 */
export async function pictureOf(token) {
  if (token === BLANK.token) return BLANK;
  if (token.startsWith("png-")) return drawing(decode(token.slice(4)));
  const sample = await findSample(token);
  if (sample) return fromSample(sample);
  throw new Error(`The address names the picture “${token}”, which is not a sample: choose another picture.`);
}

/** The picture of a medium to start with. */
export async function firstPictureOf(medium) {
  const [first] = await samplesOf(medium);
  return first ? fromSample(first) : BLANK;
}

export async function fromSample({ name, medium, url, credit }) {
  const response = await fetch(url);
  const shell = { source: `curl -s ${url}`, operand: "@-" };
  return { blob: await response.blob(), medium, token: name, name: words(name), credit, shell };
}

/** Make a picture of what is on a canvas, reduced to SIDE pixels. */
export async function fromPad(canvas) {
  const small = new OffscreenCanvas(SIDE, SIDE);
  const context = small.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, SIDE, SIDE);
  return drawing(await small.convertToBlob({ type: "image/png" }));
}

/** Make a photograph of a frame of the camera. */
export async function fromFrame(frame) {
  const blob = await frame.convertToBlob({ type: "image/jpeg", quality: 0.9 });
  return fromFile(new File([blob], "camera.jpg", { type: blob.type }), PHOTOGRAPH);
}

/** Make a picture of a file as it is. */
export function fromFile(file, medium) {
  const shell = { source: null, operand: `@'${file.name.replaceAll("'", "'\\''")}'` };
  return { blob: file, medium, token: null, name: file.name, shell };
}

/** Make a picture of pixels. */
export async function fromPixels(pixels, size) {
  return drawing(await pixelFile(pixels, size, "image/png"));
}

/** Make a picture of the negative of another one, in grey. */
export async function negativeOf({ blob }) {
  const size = { ...(await sizeOfBitmap(blob)), channels: 1 };
  return fromPixels(await pixelsOf(blob, size, true), size);
}

/** Make a blob of a file as TensorFlow Serving's JSON writes it: {b64: "…"}. */
function decodeFile({ b64 }, type = "image/png") {
  return new Blob([Uint8Array.from(atob(b64), (letter) => letter.charCodeAt(0))], { type });
}

/** The address of such a file as an image. */
export function imageUrl({ b64 }) {
  return `data:image/png;base64,${b64}`;
}

/** Write a file as TensorFlow Serving's JSON does. */
export async function encodeFile(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return { b64: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")) };
}

async function drawing(blob) {
  const { b64 } = await encodeFile(blob);
  // The alphabet of RFC 4648 for addresses.
  const token = `png-${b64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
  const shell = { source: `echo ${b64} | base64 -d`, operand: "@-" };
  return { blob, medium: DRAWING, token, name: "your drawing", shell };
}

function decode(text) {
  try {
    return decodeFile({ b64: text.replaceAll("-", "+").replaceAll("_", "/") });
  } catch {
    throw new Error("The picture in the address cannot be read: copy the whole address, or choose another picture.");
  }
}
