// One image, and a slider for each number of its latent vector.

import { answering } from "../answering.js";
import { send } from "../api.js";
import { curlOf } from "../curl.js";
import { announce, h, milliseconds, slider } from "../dom.js";
import { imageUrl } from "../picture.js";

const REACH = 3;

export function showSliders({ model, size, parameters, set, signal, curl }) {
  const latent = readLatent(parameters.get("latent"), size) ?? Array.from({ length: size }, normal);
  const image = h("img", { className: "large", alt: "The image of these numbers" });
  const note = h("p", { className: "muted" }, "…");
  const body = h("div", {}, image, note);

  const decode = answering(body, signal, async () => {
    const request = { model, verb: "generate", json: { latent: [latent] } };
    curl.show(curlOf(request, "decoded.png"));
    const { data, ms } = await send({ ...request, accept: "application/json" }, signal);
    image.src = imageUrl(data.samples[0].image);
    note.textContent = milliseconds(ms);
    announce("The image has changed");
    return [image, note];
  });

  function moved() {
    set({ latent: latent.join() });
    decode();
  }

  const sliders = latent.map((value, index) => {
    const range = { min: -REACH, max: REACH, step: 0.05, value };
    return slider(String(index + 1), range, (chosen) => {
      latent[index] = Number(chosen);
      moved();
    });
  });
  const change = (valueOf) => () => {
    sliders.forEach(({ set: show }, index) => {
      latent[index] = valueOf();
      show(latent[index]);
    });
    moved();
  };
  const tools = h(
    "div",
    { className: "buttons" },
    h("button", { type: "button", onclick: change(() => 0) }, "All to 0"),
    h("button", { type: "button", className: "primary", onclick: change(normal) }, "Random numbers"),
  );
  moved();
  const columns = h("div", { className: "sliders controls" }, ...sliders.map(({ element }) => element));
  return h("div", { className: "bench" }, h("div", {}, body, tools), columns);
}

function readLatent(text, size) {
  const numbers = (text ?? "").split(",").map(Number);
  return numbers.length === size && numbers.every(Number.isFinite) ? numbers : null;
}

/** A number from the prior of the latent space, the standard normal, within reach (Box and Muller 1958). */
function normal() {
  const drawn = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return Number(Math.max(-REACH, Math.min(REACH, drawn)).toFixed(2));
}
