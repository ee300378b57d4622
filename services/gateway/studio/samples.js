// The sample pictures of each medium, as a strip to choose from.

import { h, words } from "./dom.js";
import { DRAWING, PHOTOGRAPH } from "./kinds.js";

/**
 * @typedef {Object} Sample
 * @property {string} name
 * @property {string} medium DRAWING or PHOTOGRAPH
 * @property {string} url absolute
 * @property {string} credit the author, where the licence asks for the name
 */

const NAMES = ["shirt", "ankle_boot", "bag", "coat", "dress", "pullover", "sandal", "sneaker", "t_shirt_top", "trouser"];
const DRAWINGS = NAMES.map((name) => ({ name, medium: DRAWING, url: urlOf(`${name}.png`), credit: "" }));
let photographs = null;

/** The samples of a medium, the first one first. */
export async function samplesOf(medium) {
  return medium === DRAWING ? DRAWINGS : readPhotographs();
}

/** The sample of this name; undefined if there is none. */
export async function findSample(name) {
  const isNamed = (sample) => sample.name === name;
  return DRAWINGS.find(isNamed) ?? (await readPhotographs()).find(isNamed);
}

/**
 * A strip of samples, of which `mark(token)` marks one.
 * @param {string} medium
 * @param {(sample: Sample) => void} onChoose
 */
export function sampleStrip(medium, onChoose) {
  const label = medium === DRAWING ? "Samples" : "Sample photographs";
  const element = h("div", { className: `samples of-${medium}`, role: "group", "aria-label": label });
  let marked = null;
  const mark = (token) => {
    marked = token;
    for (const button of element.children) button.setAttribute("aria-pressed", button.name === token);
  };
  const fill = (samples) => {
    element.append(...samples.map((sample) => sampleButton(sample, onChoose)));
    mark(marked);
  };
  samplesOf(medium).then(fill);
  return { element, mark };
}

function sampleButton(sample, onChoose) {
  const { name, url } = sample;
  // Photographs are not fetched while their strip is hidden.
  const image = h("img", { loading: "lazy", src: url, alt: words(name) });
  return h("button", { type: "button", className: "sample", name, onclick: () => onChoose(sample) }, image);
}

/** The photographs that the gateway holds, from the list beside their files. */
function readPhotographs() {
  photographs ??= fetch(urlOf("photographs/index.json"))
    .then((response) => (response.ok ? response.json() : []))
    .then((list) => list.map(describe));
  return photographs;
}

function describe({ name, file, author, licence }) {
  return { name, medium: PHOTOGRAPH, url: urlOf(`photographs/${file}`), credit: `Photograph: ${author}, ${licence}` };
}

function urlOf(file) {
  return new URL(`static/samples/${file}`, document.baseURI.split("#")[0]).href;
}
