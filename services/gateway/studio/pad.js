// The square that people draw on, white on black as the models know their pictures.

import { h } from "./dom.js";

const RESOLUTION = 280;
const PEN = 20;

/**
 * A canvas to draw on.
 * @param {() => void} onDraw called at most once a frame, while something is drawn
 */
export function pad(onDraw) {
  const canvas = h("canvas", { width: RESOLUTION, height: RESOLUTION, role: "img" });
  canvas.setAttribute("aria-label", "The picture; draw on it with a mouse, a finger or a pen");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "white" });
  let frame = null;

  function drawn() {
    frame ??= requestAnimationFrame(() => {
      frame = null;
      onDraw();
    });
  }

  function at(event) {
    const scale = RESOLUTION / canvas.clientWidth;
    return [event.offsetX * scale, event.offsetY * scale];
  }

  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    context.beginPath();
    context.moveTo(...at(event));
    canvas.onpointermove(event);
  };
  canvas.onpointermove = (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) context.lineTo(...at(each));
    context.stroke();
    drawn();
  };

  return {
    canvas,
    clear() {
      context.fillRect(0, 0, RESOLUTION, RESOLUTION);
      drawn();
    },
    /** Show an image, scaled as a model sees it. */
    show(image, invert = false) {
      context.fillRect(0, 0, RESOLUTION, RESOLUTION);
      context.imageSmoothingEnabled = (image.videoWidth ?? image.width) >= RESOLUTION;
      context.drawImage(image, 0, 0, RESOLUTION, RESOLUTION);
      if (invert) negate(context);
    },
    /** Show the square in the middle of a video, mirrored as people expect to see themselves. */
    showCamera(video) {
      const side = Math.min(video.videoWidth, video.videoHeight);
      const [x, y] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
      context.save();
      context.scale(-1, 1);
      context.drawImage(video, x, y, side, side, -RESOLUTION, 0, RESOLUTION, RESOLUTION);
      context.restore();
    },
  };
}

function negate(context) {
  context.save();
  context.globalCompositeOperation = "difference";
  context.fillStyle = "white";
  context.fillRect(0, 0, RESOLUTION, RESOLUTION);
  context.restore();
}
