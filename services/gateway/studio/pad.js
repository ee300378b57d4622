// The square that people draw on, white on black as the models know their drawings.

import { h, slider } from "./dom.js";

const RESOLUTION = 280;
const PEN = { min: 8, max: 48, step: 2, value: 20 };
const UNDONE_AT_MOST = 20;
const BLACK = 0xff000000;
const WHITE = "#ffffff";
const INKS = { Grey: "#808080", Eraser: "#000000" };

/**
 * A canvas to draw on, and its tools.
 * @param {() => void} onDraw called at most once a frame, while something is drawn
 */
export function pad(onDraw) {
  const canvas = h("canvas", { width: RESOLUTION, height: RESOLUTION, role: "img" });
  canvas.setAttribute("aria-label", "The picture; draw on it with a mouse, a finger or a pen");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  Object.assign(context, { lineWidth: PEN.value, lineCap: "round", lineJoin: "round", strokeStyle: WHITE });
  const drawn = oncePerFrame(onDraw);
  const history = historyOf(context, drawn);
  drawWithPointer(canvas, context, history.remember, drawn);

  function clear() {
    history.remember();
    context.fillRect(0, 0, RESOLUTION, RESOLUTION);
    drawn();
  }

  return {
    canvas,
    tools: [h("button", { type: "button", onclick: clear }, "Clear"), history.button, ...inks(context)],
    brush: slider("Brush", PEN, (width) => (context.lineWidth = Number(width))).element,
    isBlank: () => new Uint32Array(pixelsOn(context).data.buffer).every((pixel) => pixel === BLACK),
    /** Show an image, scaled as a model sees it; null clears the pad. */
    show(image, invert) {
      history.forget();
      context.fillRect(0, 0, RESOLUTION, RESOLUTION);
      if (!image) return;
      context.imageSmoothingEnabled = image.width >= RESOLUTION;
      context.drawImage(image, 0, 0, RESOLUTION, RESOLUTION);
      if (invert) negate(context);
    },
    /** Show the square in the middle of a frame of the camera. */
    showFrame(frame) {
      const side = Math.min(frame.width, frame.height);
      const [x, y] = [(frame.width - side) / 2, (frame.height - side) / 2];
      context.drawImage(frame, x, y, side, side, 0, 0, RESOLUTION, RESOLUTION);
    },
  };
}

function drawWithPointer(canvas, context, onStroke, onDraw) {
  const at = (event) => {
    const scale = RESOLUTION / canvas.clientWidth;
    return [event.offsetX * scale, event.offsetY * scale];
  };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    onStroke();
    context.beginPath();
    context.moveTo(...at(event));
    canvas.onpointermove(event);
  };
  canvas.onpointermove = (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) context.lineTo(...at(each));
    context.stroke();
    onDraw();
  };
}

/** What was on the pad before each stroke, and the button that brings it back. */
function historyOf(context, onUndo) {
  const states = [];
  const button = h("button", { type: "button", disabled: true }, "Undo");
  const changed = () => (button.disabled = !states.length);
  const remember = () => {
    states.push(pixelsOn(context));
    if (states.length > UNDONE_AT_MOST) states.shift();
    changed();
  };
  const forget = () => {
    states.length = 0;
    changed();
  };
  button.onclick = () => {
    context.putImageData(states.pop(), 0, 0);
    changed();
    onUndo();
  };
  return { button, remember, forget };
}

/** Buttons for other inks than white; a pressed one gives white back. */
function inks(context) {
  const buttons = Object.entries(INKS).map(([name, colour]) => {
    const button = h("button", { type: "button", "aria-pressed": false }, name);
    button.onclick = () => {
      const isChosen = button.ariaPressed !== "true";
      context.strokeStyle = isChosen ? colour : WHITE;
      buttons.forEach((each) => (each.ariaPressed = isChosen && each === button));
    };
    return button;
  });
  return buttons;
}

function oncePerFrame(task) {
  let frame = null;
  return () => {
    frame ??= requestAnimationFrame(() => {
      frame = null;
      task();
    });
  };
}

function pixelsOn(context) {
  return context.getImageData(0, 0, RESOLUTION, RESOLUTION);
}

function negate(context) {
  context.save();
  context.globalCompositeOperation = "difference";
  context.fillStyle = "white";
  context.fillRect(0, 0, RESOLUTION, RESOLUTION);
  context.restore();
}
