// The models that a view offers, and those that its address chooses.

import { kindOf, mediumOf, TEXT } from "./kinds.js";

const AT_FIRST = 3;
const TO_NAME = 12;
const OTHERS = "Choose another model";
const PLAIN_TASKS = ["predict", "saliency"];

/** The address names a model that the view cannot show; the message says why. */
export class Unavailable extends Error {
  title = "Not available";

  /** @param {string|null} way what a button offers instead; null to try again */
  constructor(message, way = null) {
    super(message);
    this.way = way;
  }
}

/**
 * Select models for a view.
 * @param {{task: string, many?: boolean}} view its task, and whether it compares several models
 * @param {Object[]} models every model that is served
 * @param {URLSearchParams} parameters of the address; `model` or `models` choose
 * @param {string|null} medium of the picture that is looked at, which models chosen here should take
 * @returns {{offered: Object[], chosen: Object[], isAsked: boolean}}
 * @throws {Unavailable}
 */
export function selectionOf({ task, many }, models, parameters, medium) {
  const offered = models.filter((model) => offers(model, task));
  const asked = namesIn(parameters, many);
  const problem = asked.map((name) => refusal(name, task, models, offered)).find(Boolean);
  if (problem) throw problem;
  const chosen = asked.length
    ? offered.filter(({ name }) => asked.includes(name))
    : chosenFirst(offered, medium, many);
  return { offered, chosen, isAsked: asked.length > 0 };
}

/** Whether a view can show a task of a model. */
export function offers({ tasks, classes, images }, task) {
  if (!tasks.includes(task)) return false;
  if (task === TEXT) return true;
  return Boolean(images) && (task !== "predict" || classes.length > 0);
}

function namesIn(parameters, many) {
  const asked = parameters.get(many ? "models" : "model");
  return (many ? asked?.split(",") : [asked])?.filter(Boolean) ?? [];
}

function chosenFirst(offered, medium, many) {
  const fitting = offered.filter((model) => mediumOf(model) === medium);
  const pool = fitting.length ? fitting : offered;
  if (!many) return pool.slice(0, 1);
  const kin = pool.filter((model) => kindOf(model) === kindOf(pool[0]));
  // A cascade shows more than another model of its kind.
  const cascade = kin.find((model) => model.cascade);
  const first = new Set([...kin.slice(0, AT_FIRST - 1), cascade ?? kin[AT_FIRST - 1]]);
  return kin.filter((model) => first.has(model));
}

/** Why a view cannot show the model of this name; null if it can. */
function refusal(name, task, models, offered) {
  if (offered.some((model) => model.name === name)) return null;
  const model = models.find((each) => each.name === name);
  if (!model) {
    const names = offered.map((each) => each.name);
    const rest = names.length > TO_NAME ? ` and ${names.length - TO_NAME} more` : "";
    const listed = `${names.slice(0, TO_NAME).join(", ")}${rest}`;
    const text = `The address names the model “${name}”, which is not served here.`;
    return new Unavailable(`${text} Models with the task ${task}: ${listed || "none"}.`, OTHERS);
  }
  if (isWaiting(model)) {
    return new Unavailable(`The model “${name}” has no version that is ready. Try again in a moment.`);
  }
  const remedy = isPlain(model) ? ` ${exportCommand(name)} writes a version with every task that fits it.` : "";
  return new Unavailable(`The model “${name}” ${lack(model, task)}${remedy}`, OTHERS);
}

/** Whether no version of a model is ready, as while it loads. */
export function isWaiting({ cascade, versions }) {
  return !cascade && versions.every(({ state }) => state !== "AVAILABLE");
}

/** Whether a model takes images, but carries none of the tasks that `lectern export` writes. */
export function isPlain({ tasks, classes, images, cascade }) {
  const isKnown = tasks.some((task) => !PLAIN_TASKS.includes(task));
  return Boolean(images) && !cascade && !isKnown && classes.every((name) => name === null);
}

/** Why a model is not offered for a task, as the end of a sentence. */
export function lack({ tasks, images }, task) {
  if (!tasks.includes(task)) return `has no task “${task}”.`;
  return images ? "does not say that it classifies images." : "takes no images.";
}

/** The command that writes a version of a model with every task that fits. */
export function exportCommand(name) {
  return `lectern export FILE.keras --name ${name}`;
}
