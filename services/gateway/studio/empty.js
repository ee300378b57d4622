// What stands where there is nothing to show yet, and the way to something.

import { h } from "./dom.js";
import { TEXT } from "./kinds.js";
import { exportCommand, isPlain, isWaiting, lack } from "./selection.js";

const FIRST_MODEL = "lectern export flowers.keras --name flowers --labels labels.txt\nlectern serve";
const WITHOUT_A_FILE = "lectern export keras:MobileNetV2 --name mobilenet --weights imagenet";

const OF_CLASSIFIERS = ["predict", "saliency", "activations"];

/**
 * In place of a view that no model supports.
 * @param {string} task
 * @param {Object[]} models every model that is served
 */
export function noModels(task, models) {
  if (!models.length) return emptyRepository();
  const waiting = models.filter(isWaiting);
  const wait = `${namesOf(waiting)} may still be loading: reload the page in a moment.`;
  return h(
    "section",
    { className: "empty" },
    h("p", {}, `No model that is ready has the task “${task}”.`),
    waiting.length ? h("p", {}, wait) : null,
    ...plainModels(task, models.filter((model) => mayHave(model, task))),
  );
}

/** The models that a view leaves out since they are not ready or carry no tasks; null if there are none. */
export function leftOut(task, models, offered) {
  const waiting = models.filter(isWaiting);
  const missing = models.filter((model) => mayHave(model, task) && !offered.includes(model));
  if (!waiting.length && !missing.length) return null;
  const wait = h("p", {}, `Not ready yet: ${namesOf(waiting)}. Reload the page in a moment.`);
  const summary = h("summary", {}, `Not listed: ${namesOf(missing)}`);
  return h(
    "div",
    { className: "left-out" },
    waiting.length ? wait : null,
    missing.length ? h("details", {}, summary, ...plainModels(task, missing)) : null,
  );
}

/** In place of an answer, while there is no picture. */
export function noPicture() {
  return h("p", { className: "muted" }, "Draw something, or choose a sample.");
}

export function emptyRepository() {
  return h(
    "section",
    { className: "empty" },
    h("p", {}, "The model repository is empty. Export your Keras model, and serve it:"),
    commands(FIRST_MODEL),
    h("p", {}, "Without a file at hand, take a network of keras.applications:"),
    commands(WITHOUT_A_FILE),
  );
}

/** Whether `lectern export` may add a task to a model. */
function mayHave(model, task) {
  return isPlain(model) && task !== TEXT && (OF_CLASSIFIERS.includes(task) || !model.classes.length);
}

function namesOf(models) {
  return models.map(({ name }) => name).join(", ");
}

function plainModels(task, models) {
  return models.flatMap((model) => [
    h("p", {}, h("strong", {}, model.name), ` ${lack(model, task)} This writes a version with every task that fits it:`),
    commands(exportCommand(model.name)),
  ]);
}

function commands(text) {
  return h("pre", { className: "commands", tabIndex: 0 }, h("code", {}, text));
}
