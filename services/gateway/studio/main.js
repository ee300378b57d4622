// The frame of the page: the current view, the theme and the picture.

import { readAddress, addressOf, replaceAddress } from "./address.js";
import { listModels } from "./api.js";
import { announce, h } from "./dom.js";
import { noModels } from "./empty.js";
import { explanation } from "./glossary.js";
import { looks } from "./looks.js";
import { problemBox } from "./problem.js";
import { offers, selectionOf } from "./selection.js";
import { startOfTour, tourStep } from "./tour.js";
import * as compress from "./views/compress.js";
import * as generate from "./views/generate.js";
import * as inside from "./views/inside.js";
import * as models from "./views/models.js";
import * as predict from "./views/predict.js";
import * as saliency from "./views/saliency.js";
import * as text from "./views/text.js";

const VIEWS = { predict, saliency, inside, generate, text, compress, models };
const THEMES = ["auto", "light", "dark"];
// Browsers limit how often a page may change its address; drawing would exceed that.
const WRITE_AFTER_MS = 150;

const content = document.getElementById("content");
const links = Object.entries(VIEWS).map(([name, { title, optional = false }]) =>
  h("a", { href: `#${name}`, hidden: optional }, title),
);
// The pictures are kept when the view changes.
const looking = looks();
let ending = new AbortController();

async function open() {
  ending.abort();
  ending = new AbortController();
  const { signal } = ending;
  const { view, parameters } = readAddress();
  const name = Object.hasOwn(VIEWS, view) ? view : "predict";
  markLinks(name);
  const { title, lead } = VIEWS[name];
  document.title = `${title} · Lectern`;
  announce(title);
  const body = h("div", { className: "loading", "aria-busy": "true" }, "Loading the models …");
  content.replaceChildren(h("header", { className: "lead" }, h("h1", {}, title), h("p", {}, lead)), body);
  try {
    const filled = await fill(name, parameters, signal);
    if (signal.aborted) return;
    explain(filled, VIEWS[name].meaning);
    body.replaceWith(filled);
  } catch (error) {
    if (!signal.aborted) body.replaceWith(problemBox(error, () => retry(name, parameters, error)));
  }
}

/** Says under what a view shows, before its curl lines, what it is. */
function explain(filled, meaning) {
  if (meaning) filled.querySelector(".curl")?.before(explanation(meaning));
}

/** Shows the step of the tour that the address names, and where the tour starts. */
function guide(parameters, served) {
  document.getElementById("tour").href = startOfTour(served);
  const step = tourStep(parameters, served);
  if (step) content.querySelector(".lead").after(step);
}

/** What a view shows, for the models and the picture that its address names. */
async function fill(name, parameters, signal) {
  const view = VIEWS[name];
  const served = await listModels(signal);
  showLinks(served);
  if (!signal.aborted) guide(parameters, served);
  const context = { models: served, parameters, signal, set: setter(name, parameters, signal) };
  const look = await looking.read(parameters);
  if (look && !signal.aborted) looking.keep(look);
  markLinks(name);
  if (!view.task) return view.show(context);
  const { offered, chosen, isAsked } = selectionOf(view, served, parameters, look?.picture.medium);
  if (!chosen.length) return noModels(view.task, served);
  const selected = { ...context, offered, chosen, lookFor: looking.fit };
  if (!view.pictured) return view.show({ ...selected, look });
  // A picture and models that the address names together stay together.
  const isMeant = isAsked && parameters.has("picture");
  const { picture, invert } = isMeant ? look : await looking.fit(chosen, look);
  if (!signal.aborted) looking.keep({ picture, invert });
  markLinks(name);
  const setPicture = (changed) => {
    if (signal.aborted) return;
    looking.keep(changed);
    markLinks(name);
    context.set({ picture: changed.picture.token, invert: changed.invert || null });
  };
  return view.show({ ...selected, picture, invert, setPicture });
}

/** Writes parameters of a view into the address, a moment after the last change. */
function setter(name, parameters, signal) {
  let writing;
  const write = () => signal.aborted || replaceAddress(name, parameters);
  return (changes) => {
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) parameters.delete(key);
      else parameters.set(key, value);
    }
    clearTimeout(writing);
    writing = setTimeout(write, WRITE_AFTER_MS);
  };
}

/** Open the view again; if it offers another way, without the models that its address names. */
function retry(name, parameters, { way }) {
  if (way) {
    parameters.delete("model");
    parameters.delete("models");
    replaceAddress(name, parameters);
  }
  open();
}

function markLinks(current) {
  const carried = looking.parameters();
  Object.keys(VIEWS).forEach((name, index) => {
    links[index].href = addressOf(name, carried);
    links[index].ariaCurrent = name === current ? "page" : null;
  });
}

/** Show the links of optional views where a served model supports them. */
function showLinks(served) {
  Object.values(VIEWS).forEach(({ optional, task }, index) => {
    links[index].hidden = Boolean(optional) && !served.some((model) => offers(model, task));
  });
}

function chooseTheme(theme) {
  localStorage.setItem("lectern.theme", theme);
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  button.textContent = `Theme: ${theme}`;
  button.onclick = () => chooseTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
}

document.getElementById("views").replaceChildren(...links);
document.getElementById("skip").onclick = () => content.focus();
chooseTheme(localStorage.getItem("lectern.theme") ?? "auto");
addEventListener("hashchange", open);
open();
