// The webcam, frame by frame.

import { h } from "./dom.js";

const INTERVAL_MS = 200;

/**
 * Start the camera.
 * @param {(video: HTMLVideoElement) => Promise<void>} onFrame gets five frames a second
 * @param {AbortSignal} signal ends it with the view
 * @returns {Promise<{running: boolean, stop: () => void, stopped: Promise<void>}>}
 * @throws {DOMException} there is none, or it may not be used
 */
export async function startCamera(onFrame, signal) {
  const stream = await openStream();
  const video = h("video", { srcObject: stream, muted: true, playsInline: true });
  await video.play();
  const timer = setInterval(() => onFrame(video), INTERVAL_MS);
  let finish;
  const camera = { running: true, stop, stopped: new Promise((resolve) => (finish = resolve)) };
  function stop() {
    clearInterval(timer);
    stream.getTracks().forEach((track) => track.stop());
    camera.running = false;
    finish();
  }
  signal.addEventListener("abort", stop);
  return camera;
}

function openStream() {
  // Browsers hide the cameras from pages that come unprotected from another machine.
  if (!navigator.mediaDevices) throw new Error("the page must come from localhost or by HTTPS");
  return navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 320 } });
}
