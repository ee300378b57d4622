// Models: the served models, their quality and their latency.

import { addressOf } from "../address.js";
import { calls, cardOf } from "../api.js";
import { curlBox, curlWords, quote } from "../curl.js";
import { h, milliseconds } from "../dom.js";
import { emptyRepository } from "../empty.js";
import { groupsOf, TEXT } from "../kinds.js";
import { firstParagraph, firstTable, render } from "../markdown.js";
import { exportCommand, isPlain, isWaiting, offers } from "../selection.js";

export const title = "Models";
export const lead = "The served models, their measured quality, and how fast they answered this page.";

// The view that shows a task, and the name of its parameter for the model.
const VIEWS = {
  predict: ["predict", "models"],
  saliency: ["saliency", "model"],
  activations: ["inside", "model"],
  generate: ["generate", "model"],
  generate_text: ["text", "model"],
  compress: ["compress", "model"],
};

export async function show({ models, signal }) {
  if (!models.length) return emptyRepository();
  const curl = curlBox();
  curl.show([...curlWords(), quote(new URL("v1/models", document.baseURI).href)].join(" "));
  const sections = await Promise.all(groupsOf(models).map((group) => kindSection(group, signal)));
  return h("div", {}, ...sections, curl.element);
}

async function kindSection({ title: kind, models }, signal) {
  const cards = await Promise.all(models.map((model) => modelCard(model, signal)));
  return h("section", { className: "kind-section" }, h("h2", {}, kind), h("div", { className: "cards wide-cards" }, ...cards));
}

async function modelCard(model, signal) {
  const text = model.card ? await cardOf(model.name, signal).catch(() => null) : null;
  const [measure] = text ? firstTable(text) : [];
  return h(
    "article",
    { className: "card" },
    h("header", {}, h("h3", {}, model.name), h("span", { className: "states" }, ...model.versions.map(state))),
    h("p", { className: "about" }, describe(model, text)),
    measure ? h("p", { className: "measure" }, h("strong", {}, measure[1]), ` ${measure[0]}`) : null,
    h("p", { className: "links" }, ...linksOf(model), text ? cardButton(model.name, text, signal) : null),
    h("p", { className: "muted" }, latencyOf(model.name)),
  );
}

function state({ version, state: name }) {
  const element = h("span", { className: "state" }, `version ${version} · ${name.toLowerCase()}`);
  element.classList.toggle("is-available", name === "AVAILABLE");
  return element;
}

function describe(model, card) {
  const { name, cascade, tasks, versions, images } = model;
  if (cascade) {
    const { small, large, threshold } = cascade;
    const sure = Number((100 * threshold).toFixed(2));
    return `A cascade: ${small} answers, and ${large} where ${small} is less than ${sure}% sure.`;
  }
  // A card opens with a sentence on what the model is.
  if (card) return `${firstParagraph(card).split(/\. (?=[A-Z])/)[0]}.`;
  if (isWaiting(model)) return versions.length ? "No version is ready yet." : "Configured, but unknown to the model server.";
  if (isPlain(model)) {
    return `Has no labels and no further tasks; ${exportCommand(name)} writes a version with every task that fits it.`;
  }
  if (tasks.includes(TEXT)) return "Continues a text.";
  return images ? "" : `Takes no images: call it with JSON (${tasks.map((task) => `:${task}`).join(", ")}).`;
}

function linksOf(model) {
  return Object.entries(VIEWS)
    .filter(([task]) => offers(model, task))
    .map(([, [view, parameter]]) => {
      return h("a", { href: addressOf(view, new URLSearchParams({ [parameter]: model.name })) }, view);
    });
}

function latencyOf(model) {
  const answered = calls.filter((call) => call.model === model && call.status < 400);
  const verbs = [...new Set(answered.map(({ verb }) => verb))];
  const parts = verbs.map((verb) => {
    const times = answered.filter((call) => call.verb === verb).map(({ ms }) => ms);
    return `${verb} ${milliseconds(median(times))} (${times.length})`;
  });
  return parts.length ? `Median of this page's calls: ${parts.join(", ")}` : "Not called from this page yet";
}

function median(values) {
  const sorted = values.toSorted((first, second) => first - second);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function cardButton(name, text, signal) {
  const open = () => {
    const close = h("button", { type: "button", onclick: () => dialog.close() }, "Close");
    const body = h("div", { className: "prose" }, ...render(text));
    const dialog = h("dialog", { onclose: () => dialog.remove() }, h("header", {}, close), body);
    dialog.setAttribute("aria-label", `The card of ${name}`);
    document.body.append(dialog);
    dialog.showModal();
    signal.addEventListener("abort", () => dialog.close());
  };
  return h("button", { type: "button", onclick: open }, "Card");
}
