// The frame of the page: the current view, the theme and the picture.

import { readAddress, addressOf, replaceAddress } from "./address.js";
import { listModels } from "./api.js";
import { announce, h } from "./dom.js";
import { pictureOf } from "./picture.js";
import { problemBox } from "./problem.js";
import * as compress from "./views/compress.js";
import * as generate from "./views/generate.js";
import * as inside from "./views/inside.js";
import * as models from "./views/models.js";
import * as predict from "./views/predict.js";
import * as saliency from "./views/saliency.js";

const VIEWS = { predict, saliency, inside, generate, compress, models };
const THEMES = ["auto", "light", "dark"];
// Browsers limit how often a page may change its address; drawing would exceed that.
const WRITE_AFTER_MS = 150;

const content = document.getElementById("content");
const links = Object.entries(VIEWS).map(([name, { title }]) => h("a", { href: `#${name}` }, title));
// The picture is kept when the view changes.
const looking = { picture: null, invert: false };
let ending = new AbortController();

async function open() {
  ending.abort();
  ending = new AbortController();
  const { signal } = ending;
  const { view, parameters } = readAddress();
  const name = Object.hasOwn(VIEWS, view) ? view : "predict";
  markLinks(name);
  // On a phone the links are wider than the screen.
  links[Object.keys(VIEWS).indexOf(name)].scrollIntoView({ block: "nearest", inline: "center" });
  const { title, lead, show } = VIEWS[name];
  document.title = `${title} · Lectern`;
  announce(title);
  const body = h("div", { className: "loading", "aria-busy": "true" }, "Loading the models …");
  content.replaceChildren(h("header", { className: "lead" }, h("h1", {}, title), h("p", {}, lead)), body);
  try {
    const served = await listModels(signal);
    await look(parameters, signal);
    if (signal.aborted) return;
    markLinks(name);
    const filled = await show(contextOf(name, parameters, served, signal));
    if (!signal.aborted) body.replaceWith(filled);
  } catch (error) {
    if (!signal.aborted) body.replaceWith(problemBox(error, open));
  }
}

/** The context of a view: the models, the picture, its own parameters, and a signal for its end. */
function contextOf(name, parameters, served, signal) {
  let writing;
  const write = () => signal.aborted || replaceAddress(name, parameters);
  const set = (changes) => {
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) parameters.delete(key);
      else parameters.set(key, value);
    }
    clearTimeout(writing);
    writing = setTimeout(write, WRITE_AFTER_MS);
  };
  const setPicture = ({ picture, invert }) => {
    if (signal.aborted) return;
    Object.assign(looking, { picture, invert });
    markLinks(name);
    set({ picture: picture.token, invert: invert || null });
  };
  return { ...looking, models: served, parameters, set, setPicture, signal };
}

async function look(parameters, signal) {
  const token = parameters.get("picture");
  if (looking.picture && !token) return;
  const isKnown = looking.picture && token === looking.picture.token;
  const picture = isKnown ? looking.picture : await pictureOf(token);
  if (signal.aborted) return;
  Object.assign(looking, { picture, invert: parameters.get("invert") === "true" });
}

function markLinks(current) {
  const picture = looking.picture?.token;
  const carried = picture ? { picture, ...(looking.invert && { invert: true }) } : {};
  Object.keys(VIEWS).forEach((name, index) => {
    links[index].href = addressOf(name, new URLSearchParams(carried));
    links[index].ariaCurrent = name === current ? "page" : null;
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
