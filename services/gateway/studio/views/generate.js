// Generate: new images, and the latent space that they come from.

import { answering } from "../answering.js";
import { shapeOf, signaturesOf } from "../api.js";
import { chosenOf, oneModelOf, oneOf } from "../choices.js";
import { curlBox } from "../curl.js";
import { h } from "../dom.js";
import { leftOut } from "../empty.js";
import { mediumOf } from "../kinds.js";
import { showGrid } from "./generate_grid.js";
import { showMap } from "./generate_map.js";
import { showSliders } from "./generate_sliders.js";
import { showWalk } from "./generate_walk.js";

export const title = "Generate";
export const lead = "New images, each generated from a point in the model's latent space.";
export const meaning =
  "Pictures that no one has taken: the network draws them from points of its [latent space]. The [temperature] says " +
  "how unusual they may be.";

const FORMS = {
  grid: { text: "A grid", show: showGrid, needs: "generate" },
  sliders: { text: "Sliders", show: showSliders, needs: "decode_latent" },
  map: { text: "A map", show: showMap, needs: "decode_latent" },
  walk: { text: "A walk between two", show: showWalk, needs: "encode_latent" },
};

export const task = "generate";

export async function show(context) {
  const { models, offered, chosen, parameters, set, signal, look, lookFor } = context;
  const state = { model: chosen[0], form: parameters.get("form") };
  const forms = h("div");
  const form = h("div");
  const curl = curlBox();
  let closing = new AbortController();

  const open = answering(form, signal, async () => {
    const { model } = state;
    const signatures = await signaturesOf(model.name, signal);
    const options = formsOf(signatures);
    const shown = chosenOf(options, state.form);
    forms.replaceChildren(oneOf("Show", options, shown, (value) => change({ form: value })));
    closing.abort();
    closing = new AbortController();
    const { picture, invert } = await lookFor([model], look);
    const size = signatures.decode_latent && shapeOf(signatures.decode_latent.inputs.latent)[0];
    const shared = { medium: mediumOf(model), size, parameters, set, change, picture, invert, curl };
    return [await FORMS[shown].show({ ...shared, model: model.name, signal: AbortSignal.any([signal, closing.signal]) })];
  });

  /** Go to another form, with what it starts from. */
  function change(changes) {
    Object.assign(state, { form: changes.form });
    set({ latent: null, ...changes });
    return open();
  }

  const choice = oneModelOf(offered, state.model, (model) => {
    Object.assign(state, { model });
    set({ model: model.name, latent: null });
    return open();
  });
  await open();
  return h("div", {}, choice, leftOut(task, models, offered), forms, form, curl.element);
}

function formsOf(signatures) {
  return Object.entries(FORMS)
    .filter(([, { needs }]) => needs in signatures)
    .map(([value, { text }]) => ({ value, text }));
}
