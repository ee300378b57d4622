// The webcam, frame by frame, and the button that starts it.

import { h } from "./dom.js";

const INTERVAL_MS = 200;

/**
 * A button that starts and stops the camera.
 * @param {AbortSignal} signal the end of the view
 * @param {(frame: OffscreenCanvas) => Promise<void>} onFrame
 * @param {(text: string) => void} onProblem
 */
export function cameraButton(signal, onFrame, onProblem) {
  const element = h("button", { type: "button" }, "Camera");
  let ending = null;
  const press = (isPressed) => element.setAttribute("aria-pressed", isPressed);
  const stop = () => {
    ending?.abort();
    ending = null;
    press(false);
  };
  const start = async () => {
    ending = new AbortController();
    const ends = AbortSignal.any([signal, ending.signal]);
    try {
      await startCamera(onFrame, ends);
      if (!ends.aborted) press(true);
    } catch (error) {
      if (ends.aborted) return;
      stop();
      onProblem(`No camera: ${error.message}. Allow it in the browser's settings.`);
    }
  };
  element.onclick = () => (ending ? stop() : start());
  return { element, stop };
}

/**
 * Start the camera.
 * @param {(frame: OffscreenCanvas) => Promise<void>} onFrame gets five frames a second
 * @param {AbortSignal} signal stops it, also while the browser still asks for permission
 * @throws {DOMException} there is no camera, or its use is not permitted
 */
async function startCamera(onFrame, signal) {
  const stream = await openStream();
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  if (signal.aborted) return stop();
  signal.addEventListener("abort", stop);
  const video = h("video", { srcObject: stream, muted: true, playsInline: true });
  await video.play();
  if (signal.aborted) return;
  // People expect to see themselves as in a mirror.
  const isMirrored = stream.getVideoTracks()[0].getSettings().facingMode !== "environment";
  const timer = setInterval(() => onFrame(frameOf(video, isMirrored)), INTERVAL_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

function openStream() {
  // Browsers offer the camera only to pages from localhost or by HTTPS.
  if (!navigator.mediaDevices) throw new Error("the page must come from localhost or by HTTPS");
  return navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, facingMode: "environment" } });
}

function frameOf(video, isMirrored) {
  const frame = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = frame.getContext("2d");
  if (isMirrored) {
    context.translate(frame.width, 0);
    context.scale(-1, 1);
  }
  context.drawImage(video, 0, 0);
  return frame;
}
