// A card for one version of the picture: image, quality and size in bytes.

import { h } from "../dom.js";
import { psnr } from "../formats.js";
import { drawPixels } from "../pixels.js";

/**
 * @param {string} name
 * @param {Encoded|null} version null if this browser cannot write it
 * @param {{pixels: Uint8ClampedArray, width: number, height: number, channels: number}} original
 */
export function versionCard(name, version, original) {
  const heading = h("header", {}, h("h2", {}, name));
  if (version === null) {
    const excuse = h("p", { className: "muted" }, "This browser cannot write this format.");
    return h("article", { className: "card map" }, heading, excuse);
  }
  const { pixels, size, data, fits } = version;
  const canvas = h("canvas", { role: "img" });
  canvas.setAttribute("aria-label", `${name}, restored`);
  drawPixels(canvas, pixels, original);
  const ratio = psnr(original.pixels, pixels);
  const nearness = Number.isFinite(ratio) ? `${ratio.toFixed(1)} dB` : "identical";
  const quality = h("p", { className: "quality" }, nearness);
  const weight = size === null ? `${data} bytes` : `${data} bytes + ${size - data} of headers`;
  const bytes = h("p", { className: "muted" }, weight);
  const excuse = fits ? null : h("p", { className: "excuse" }, "cannot be this small");
  return h("article", { className: "card map" }, heading, canvas, quality, bytes, excuse);
}
