// Shows an answer of the API, or its error with a button to try again.

import { newestOnly } from "./newest.js";
import { problemBox } from "./problem.js";

/**
 * Wraps a task that calls the API, so that only the newest of several calls is shown.
 * @param {HTMLElement} body holds what the task answered, or its problem
 * @param {AbortSignal} signal after which a problem is no longer of interest
 * @param {(...args) => Promise<Node[]>} task returns what the body shows
 * @returns {(...args) => Promise<void>} never rejects
 */
export function answering(body, signal, task) {
  const ask = newestOnly(async (...args) => {
    try {
      body.replaceChildren(...(await task(...args)));
    } catch (error) {
      if (!signal.aborted) body.replaceChildren(problemBox(error, () => ask(...args)));
    }
  });
  return ask;
}
