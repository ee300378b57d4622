// The webcam, frame by frame.

import { h } from "./dom.js";

const INTERVAL_MS = 200;

/**
 * Start the camera.
 * @param {(video: HTMLVideoElement) => Promise<void>} onFrame gets five frames a second
 * @param {AbortSignal} signal stops it, also while a person is still asked whether it may be used
 * @throws {DOMException} there is none, or it may not be used
 */
export async function startCamera(onFrame, signal) {
  const stream = await openStream();
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  if (signal.aborted) return stop();
  signal.addEventListener("abort", stop);
  const video = h("video", { srcObject: stream, muted: true, playsInline: true });
  await video.play();
  if (signal.aborted) return;
  const timer = setInterval(() => onFrame(video), INTERVAL_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

function openStream() {
  // Browsers hide the cameras from pages that come unprotected from another machine.
  if (!navigator.mediaDevices) throw new Error("the page must come from localhost or by HTTPS");
  return navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 320 } });
}
