// The picture that all views look at: a sample, a drawing or a file.

/** The side in pixels of what is drawn, and of what the models of this repository take. */
export const SIDE = 28;

export const SAMPLES = [
  "shirt", "ankle_boot", "bag", "coat", "dress",
  "pullover", "sandal", "sneaker", "t_shirt_top", "trouser",
];

/**
 * @typedef {Object} Picture
 * @property {Blob} blob an image file
 * @property {string|null} token what stands in the address for it; null if it is too large for that
 * @property {string} name for people
 * @property {{source: string|null, operand: string}} shell how curl gets it
 */

export function sampleUrl(name) {
  return new URL(`static/samples/${name}.png`, document.baseURI.split("#")[0]).href;
}

/**
 * Read the picture that an address names; the first sample if it names none.
 * @throws {Error} it is cut off
 */
export async function pictureOf(token) {
  if (token?.startsWith("png-")) return drawing(decode(token.slice(4)));
  return sample(SAMPLES.includes(token) ? token : SAMPLES[0]);
}

export async function sample(name) {
  const response = await fetch(sampleUrl(name));
  const shell = { source: `curl -s ${sampleUrl(name)}`, operand: "@-" };
  return { blob: await response.blob(), token: name, name: name.replaceAll("_", " "), shell };
}

/** Make a picture of what is on a canvas, reduced to SIDE pixels. */
export async function fromCanvas(canvas) {
  const small = new OffscreenCanvas(SIDE, SIDE);
  const context = small.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, SIDE, SIDE);
  return drawing(await small.convertToBlob({ type: "image/png" }));
}

/** Make a picture of a file as it is. */
export function fromFile(file) {
  const shell = { source: null, operand: `@'${file.name.replaceAll("'", "'\\''")}'` };
  return { blob: file, token: null, name: file.name, shell };
}

/**
 * Read the grey values of a picture as a model sees them, its sides scaled independently.
 * @returns {Promise<Uint8ClampedArray>} [height * width], 0 to 255
 */
export async function greyOf(blob, width = SIDE, height = SIDE) {
  const bitmap = await createImageBitmap(blob);
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  // The weights of ITU-R 601, as Pillow's conversion to "L".
  return Uint8ClampedArray.from({ length: width * height }, (_, index) => {
    const [red, green, blue] = data.subarray(4 * index, 4 * index + 3);
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  });
}

/** Make a picture of grey values. */
export async function fromGrey(grey, width, height) {
  return drawing(await greyFile(grey, width, height, "image/png"));
}

/** Make a picture of the negative of another one. */
export async function negativeOf({ blob }) {
  const { width, height } = await createImageBitmap(blob);
  const grey = await greyOf(blob, width, height);
  return fromGrey(grey.map((value) => 255 - value), width, height);
}

/** Draw grey values on a canvas of their size. */
export function drawGrey(canvas, grey) {
  const rgba = new Uint8ClampedArray(4 * grey.length);
  grey.forEach((value, index) => rgba.set([value, value, value, 255], 4 * index));
  canvas.getContext("2d").putImageData(new ImageData(rgba, canvas.width, canvas.height), 0, 0);
}

/** Write grey values as an image file; a type that the browser does not know becomes PNG. */
export async function greyFile(grey, width, height, type, quality) {
  const canvas = new OffscreenCanvas(width, height);
  drawGrey(canvas, grey);
  return canvas.convertToBlob({ type, quality });
}

/** Make a blob of a file as TensorFlow Serving's JSON writes it: {b64: "…"}. */
export function decodeFile({ b64 }, type = "image/png") {
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
  return { blob, token, name: "your drawing", shell };
}

function decode(text) {
  try {
    return decodeFile({ b64: text.replaceAll("-", "+").replaceAll("_", "/") });
  } catch {
    throw new Error("The picture in the address cannot be read: copy the whole address, or choose another picture.");
  }
}
