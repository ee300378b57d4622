// The pixels of image files, as the gateway and the models see them.

/**
 * @typedef {Object} Size
 * @property {number} width
 * @property {number} height
 * @property {number} channels 1 for grey; else 3
 */

// Larger pictures are reduced once, since every map of a view draws them.
const LONGEST_SIDE = 1024;
const bitmaps = new WeakMap();

/**
 * Decode an image file, upright by its EXIF orientation as the gateway reads it.
 * @param {Blob} blob
 * @returns {Promise<ImageBitmap|null>} null if this browser cannot read the format; the gateway may
 */
export function bitmapOf(blob) {
  if (!bitmaps.has(blob)) bitmaps.set(blob, decode(blob).catch(() => null));
  return bitmaps.get(blob);
}

/** The size of an image file, reduced to a longest side. */
export async function sizeOfBitmap(blob, longest = LONGEST_SIDE) {
  return reduced((await bitmapOf(blob)) ?? { width: 1, height: 1 }, longest);
}

async function decode(blob) {
  const bitmap = await createImageBitmap(blob);
  const { width, height } = reduced(bitmap, LONGEST_SIDE);
  if (width === bitmap.width && height === bitmap.height) return bitmap;
  return createImageBitmap(bitmap, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
}

/** A size whose longest side is at most so long. */
export function reduced({ width, height }, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * Read an image file as a model sees it, its sides scaled independently.
 * @param {Blob} blob
 * @param {Size} size
 * @param {boolean} invert
 * @returns {Promise<Uint8ClampedArray>} [height * width * channels], 0 to 255
 */
export async function pixelsOf(blob, { width, height, channels }, invert) {
  const bitmap = await bitmapOf(blob);
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  if (bitmap) context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = channels === 1 ? greyOf(data) : data.filter((_, index) => index % 4 < 3);
  return invert ? pixels.map((value) => 255 - value) : pixels;
}

/** By the weights of ITU-R 601, as Pillow's conversion to "L". */
function greyOf(rgba) {
  return Uint8ClampedArray.from({ length: rgba.length / 4 }, (_, index) => {
    const [red, green, blue] = rgba.subarray(4 * index, 4 * index + 3);
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  });
}

/** Draw pixels on a canvas, which takes their size. */
export function drawPixels(canvas, pixels, { width, height, channels }) {
  Object.assign(canvas, { width, height });
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let index = 0; index < width * height; index += 1) {
    for (let colour = 0; colour < 3; colour += 1) {
      rgba[4 * index + colour] = pixels[channels === 1 ? index : channels * index + colour];
    }
  }
  canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
}

/** Write pixels as an image file; a type that the browser does not know becomes PNG. */
export async function pixelFile(pixels, size, type, quality) {
  const canvas = new OffscreenCanvas(size.width, size.height);
  drawPixels(canvas, pixels, size);
  return canvas.convertToBlob({ type, quality });
}
