// Saliency maps as pictures: pixels for a class in red and pixels against it in blue, over the image.

const SIDE = 280;
// Of the image, so that colours stand out on its white parts too.
const DIMMED = 0.6;
const FOR = [255, 66, 48];
const AGAINST = [64, 140, 255];

/**
 * Draw an image and its attribution.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8ClampedArray} grey [height * width], 0 to 255
 * @param {number[][]} attribution [height, width], any sign and scale
 * @param {number} strength opacity of the largest magnitude, 0 to 1
 */
export function drawHeat(canvas, grey, attribution, strength) {
  const [height, width] = [attribution.length, attribution[0].length];
  Object.assign(canvas, { width: SIDE, height: Math.round((SIDE * height) / width) });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  const image = layer(width, height, (index) => [...Array(3).fill(DIMMED * grey[index]), 255]);
  context.drawImage(image, 0, 0, SIDE, canvas.height);
  const values = attribution.flat();
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
  const heat = layer(width, height, (index) => {
    const value = values[index] / most;
    return [...(value > 0 ? FOR : AGAINST), 255 * strength * Math.abs(value)];
  });
  context.imageSmoothingEnabled = true;
  context.drawImage(heat, 0, 0, SIDE, canvas.height);
}

function layer(width, height, colourAt) {
  const canvas = new OffscreenCanvas(width, height);
  const rgba = new Uint8ClampedArray(4 * width * height);
  for (let index = 0; index < width * height; index += 1) rgba.set(colourAt(index), 4 * index);
  canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}
