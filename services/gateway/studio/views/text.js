// Text: a prompt, and what a model writes after it, piece by piece.

import { answering } from "../answering.js";
import { send } from "../api.js";
import { oneModelOf } from "../choices.js";
import { curlBox, curlOf } from "../curl.js";
import { announce, h, milliseconds, slider } from "../dom.js";
import { leftOut } from "../empty.js";
import { TEXT } from "../kinds.js";

export const title = "Text";
export const lead = "A language model continues your text, one character at a time.";
export const task = TEXT;
/** It is linked only where a served model has the task. */
export const optional = true;

const PROMPT = "In the beginning";
const MEANING =
  "Your prompt is grey; the model wrote what is marked. A low temperature gives typical text, a high one unusual " +
  "text. The same prompt, seed and temperature give the same text again.";
// The API takes 4096 characters; models look at the last few hundred.
const LONGEST = 2000;

export async function show({ models, offered, chosen, parameters, set, signal }) {
  const state = {
    model: chosen[0].name,
    prompt: parameters.get("prompt") ?? PROMPT,
    seed: Number(parameters.get("seed") ?? 0),
    temperature: Number(parameters.get("temperature") ?? 0.8),
    // What was written so far. A new list for each start, so that late answers find out.
    pieces: [],
  };
  const curl = curlBox();
  const story = h("p", { className: "story" });
  const note = h("p", { className: "muted" });
  const body = h("div", {}, story, note);

  const write = answering(body, signal, async () => {
    const { pieces } = state;
    const request = requestOf(state);
    curl.show(curlOf(request));
    story.ariaBusy = "true";
    try {
      const { data, ms } = await send(request, signal);
      if (pieces !== state.pieces) return [story, note];
      const [{ text, seed }] = data.samples;
      pieces.push(text);
      draw();
      note.textContent = `${Array.from(text).length} characters · ${milliseconds(ms)} · seed ${seed}`;
      announce(text);
    } finally {
      story.ariaBusy = "false";
    }
    return [story, note];
  });

  function draw() {
    const marks = state.pieces.map((piece) => h("mark", {}, piece));
    story.replaceChildren(h("span", { className: "given" }, state.prompt), ...marks);
  }

  /** Forget what was written, since it does not belong to these parameters. */
  function change(changes) {
    Object.assign(state, changes, { pieces: [] });
    set(changes);
    note.textContent = "";
    draw();
  }

  const restart = (changes) => {
    change(changes);
    return write();
  };
  const choice = oneModelOf(offered, chosen[0], ({ name }) => restart({ model: name }));
  draw();
  write();
  return h(
    "div",
    {},
    choice,
    leftOut(task, models, offered),
    promptField(state.prompt, (prompt) => change({ prompt }), write),
    controls(state, restart, write),
    body,
    h("p", { className: "note" }, MEANING),
    curl.element,
  );
}

/** The call for the next piece; each piece has the next seed, so that none repeats another. */
function requestOf({ model, prompt, seed, temperature, pieces }) {
  const text = Array.from([prompt, ...pieces].join("")).slice(-LONGEST).join("");
  return { model, verb: "generate", json: { prompt: text, seed: seed + pieces.length, temperature } };
}

function promptField(value, onInput, onEnter) {
  const field = h("textarea", { value, rows: 2, maxLength: LONGEST, spellcheck: false });
  field.oninput = () => onInput(field.value);
  field.onkeydown = (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onEnter();
  };
  return h("label", { className: "prompt" }, "Prompt · Ctrl+Enter continues it", field);
}

function controls({ seed, temperature }, restart, write) {
  const field = h("input", { type: "number", value: seed, step: 1 });
  field.onchange = () => {
    field.value = Math.trunc(Number(field.value)) || 0;
    restart({ seed: Number(field.value) });
  };
  const heat = slider("Temperature", { min: 0, max: 2, step: 0.1, value: temperature }, (value) =>
    restart({ temperature: Number(value) }),
  );
  return h(
    "div",
    { className: "controls" },
    h("button", { type: "button", className: "primary", onclick: write }, "Continue"),
    h("button", { type: "button", onclick: () => restart({}) }, "Start again"),
    h("label", {}, "Seed", field),
    heat.element,
  );
}
