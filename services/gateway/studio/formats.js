// JPEG and WebP as this browser writes them, with a limit on their size.

import { pixelFile, pixelsOf } from "./pixels.js";

export const FORMATS = {
  JPEG: { type: "image/jpeg", dataOf: scanSize },
  WebP: { type: "image/webp", dataOf: partitionSize },
};

// WebP is lossless at 100.
const BEST_QUALITY = 99;

/**
 * @typedef {Object} Encoded
 * @property {Uint8ClampedArray} pixels what comes back, [height * width * channels]
 * @property {number} size of the file in bytes
 * @property {number} data bytes without headers and tables
 * @property {boolean} fits whether it is within the limit; if not, it is the smallest possible file
 */

/**
 * Find the best quality whose file is small enough.
 * @param {string} format a name in FORMATS
 * @param {{pixels: Uint8ClampedArray, width: number, height: number, channels: number}} image
 * @param {(encoded: Encoded) => boolean} isSmallEnough
 * @returns {Promise<Encoded|null>} null if this browser does not write the format
 */
export async function encodeWithin(format, image, isSmallEnough) {
  let [low, high] = [0, BEST_QUALITY];
  let found = await encode(format, image, low);
  if (found === null || !isSmallEnough(found)) return found && { ...found, fits: false };
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const tried = await encode(format, image, middle);
    if (isSmallEnough(tried)) [low, found] = [middle, tried];
    else high = middle - 1;
  }
  return { ...found, fits: true };
}

/** The peak signal-to-noise ratio in decibels; infinite for equal images. */
export function psnr(pixels, restored) {
  const error = pixels.reduce((sum, value, index) => sum + (value - restored[index]) ** 2, 0) / pixels.length;
  return 10 * Math.log10(255 ** 2 / error);
}

async function encode(format, image, quality) {
  const { type, dataOf } = FORMATS[format];
  const blob = await pixelFile(image.pixels, image, type, quality / 100);
  // Browsers write PNG instead of a format that they cannot write.
  if (blob.type !== type) return null;
  const file = new Uint8Array(await blob.arrayBuffer());
  return { pixels: await pixelsOf(blob, image, false), size: file.length, data: dataOf(file) };
}

/** What lies between the header of JPEG's scan and the end marker (ITU T.81, B.1.1 and B.2.3). */
function scanSize(file) {
  const view = new DataView(file.buffer);
  let segment = 2;
  while (file[segment + 1] !== 0xda) segment += 2 + view.getUint16(segment + 2);
  return file.length - (segment + 2 + view.getUint16(segment + 2)) - 2;
}

/** What follows the 10 bytes of the frame's header in WebP's chunk "VP8 " (RFC 9649, 2.5; RFC 6386, 9.1). */
function partitionSize(file) {
  const view = new DataView(file.buffer);
  const isFrame = (chunk) => String.fromCharCode(...file.subarray(chunk, chunk + 4)) === "VP8 ";
  let chunk = 12;
  // Chunks are padded to an even size.
  while (!isFrame(chunk)) chunk += 8 + 2 * Math.ceil(view.getUint32(chunk + 4, true) / 2);
  return view.getUint32(chunk + 4, true) - 10;
}
