// Generate: new images, and the latent space that they come from.

import { answering } from "../answering.js";
import { shapeOf, signaturesOf } from "../api.js";
import { chosenOf, modelOptions, oneOf } from "../choices.js";
import { curlBox } from "../curl.js";
import { h } from "../dom.js";
import { nothing } from "../problem.js";
import { showGrid } from "./generate_grid.js";
import { showMap } from "./generate_map.js";
import { showSliders } from "./generate_sliders.js";
import { showWalk } from "./generate_walk.js";

export const title = "Generate";
export const lead = "New images, each generated from a point in the model's latent space.";

const FORMS = {
  grid: { text: "A grid", show: showGrid, needs: "generate" },
  sliders: { text: "Sliders", show: showSliders, needs: "decode_latent" },
  map: { text: "A map", show: showMap, needs: "decode_latent" },
  walk: { text: "A walk between two", show: showWalk, needs: "encode_latent" },
};

export async function show({ models, parameters, set, signal, picture, invert }) {
  const options = modelOptions(models, "generate");
  if (!options.length) return nothing("generate");
  const state = { model: chosenOf(options, parameters.get("model")), form: parameters.get("form") };
  const forms = h("div");
  const form = h("div");
  const curl = curlBox();
  let closing = new AbortController();

  const open = answering(form, signal, async () => {
    const { model } = state;
    const signatures = await signaturesOf(model, signal);
    const offered = Object.entries(FORMS)
      .filter(([, { needs }]) => needs in signatures)
      .map(([value, { text }]) => ({ value, text }));
    const shown = chosenOf(offered, state.form);
    forms.replaceChildren(oneOf("Show", offered, shown, (chosen) => change({ form: chosen })));
    closing.abort();
    closing = new AbortController();
    const ends = AbortSignal.any([signal, closing.signal]);
    const size = signatures.decode_latent && shapeOf(signatures.decode_latent.inputs.latent)[0];
    const context = { model, size, parameters, set, change, picture, invert, signal: ends, curl };
    return [FORMS[shown].show(context)];
  });

  /** Go to another form, with what it starts from. */
  function change(changes) {
    Object.assign(state, { form: changes.form });
    set({ latent: null, ...changes });
    return open();
  }

  const choice = oneOf("Model", options, state.model, (model) => {
    Object.assign(state, { model });
    set({ model, latent: null });
    return open();
  });
  await open();
  return h("div", {}, choice, forms, form, curl.element);
}
