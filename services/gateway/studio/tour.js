// The guided tour: five steps through the views, each with an address of its own.

import { addressOf } from "./address.js";
import { h } from "./dom.js";

const SIMPLE = "linear_regression";
const NETWORK = "cnn";

const STEPS = [
  {
    title: "Draw",
    text:
      "Draw a shirt or a shoe on the black square. The network has learned from 60,000 pictures of clothes, and names " +
      "what it sees while you draw. It knows ten classes and must choose one, even for a scribble.",
    view: "predict",
    query: { models: NETWORK, picture: "blank" },
  },
  {
    title: "Compare models",
    text:
      "A simple model and a network look at the same shirt. The simple one gives every pixel a fixed weight; the " +
      "network looks for patterns such as edges and sleeves. Try other samples: where do they disagree?",
    view: "predict",
    query: { models: `${NETWORK},${SIMPLE}`, picture: "shirt" },
  },
  {
    title: "Why?",
    text:
      "These maps show which pixels made the network say “Ankle boot”: red speaks for the class, blue against it. " +
      "Choose another class above the maps, and see what would speak for that one.",
    view: "saliency",
    query: { model: NETWORK, picture: "ankle_boot" },
  },
  {
    title: "Look inside",
    text:
      "The boot passes the layers one by one. Each tile is what one filter has found: edges at first, then parts of " +
      "a shoe. Choose the layers from left to right, up to the ten scores of the classes.",
    view: "inside",
    query: { model: NETWORK, picture: "ankle_boot" },
  },
  {
    title: "Fool it",
    text:
      "The same boot with black and white exchanged: you still see a boot. The models have never seen one like this. " +
      "Press Invert, erase a piece, or draw a line, and watch which model changes its mind. The simple one adds up " +
      "weighted pixels, so that a few bright ones in the wrong place are enough.",
    view: "predict",
    query: { models: `${NETWORK},${SIMPLE}`, picture: "ankle_boot", invert: "true" },
  },
];

/** The address at which the tour starts. */
export function startOfTour(models) {
  return addressOfStep(1, models);
}

/**
 * The box of the step that an address names, with the ways on and back; null if it names none.
 * @param {URLSearchParams} parameters
 * @param {Object[]} models every model that is served; a step compares those of its models that are
 */
export function tourStep(parameters, models) {
  const number = Number(parameters.get("tour"));
  const step = STEPS[number - 1];
  if (!step) return null;
  const link = (text, to) => h("a", { href: addressOfStep(to, models) }, text);
  const ways = [
    number > 1 ? link("Back", number - 1) : null,
    number < STEPS.length ? link(`Next: ${STEPS[number].title}`, number + 1) : null,
    h("a", { href: addressOf("predict", new URLSearchParams()) }, "End the tour"),
  ];
  return h(
    "section",
    { className: "tour", "aria-label": "Tour" },
    h("h2", {}, `Step ${number} of ${STEPS.length}: ${step.title}`),
    h("p", {}, step.text),
    h("p", { className: "links" }, ...ways.filter(Boolean)),
  );
}

function addressOfStep(number, models) {
  const { view, query } = STEPS[number - 1];
  const names = new Set(models.map(({ name }) => name));
  const served = (list) => list.split(",").filter((name) => names.has(name)).join(",");
  const entries = Object.entries(query)
    .map(([key, value]) => [key, key.startsWith("model") ? served(value) : value])
    .filter(([, value]) => value);
  return addressOf(view, new URLSearchParams([...entries, ["tour", number]]));
}
