// The webcam, frame by frame.

import { h } from "./dom.js";

const INTERVAL_MS = 200;

/**
 * Start the camera.
 * @param {(video: HTMLVideoElement) => Promise<void>} onFrame gets five frames a second
 * @param {AbortSignal} signal stops it, also while the browser still asks for permission
 * @throws {DOMException} there is no camera, or its use is not permitted
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
  // Browsers offer the camera only to pages from localhost or by HTTPS.
  if (!navigator.mediaDevices) throw new Error("the page must come from localhost or by HTTPS");
  return navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 320 } });
}
