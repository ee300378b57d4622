// Shows what the API answers, or what went wrong and how to ask again.

import { newestOnly } from "./newest.js";
import { problemBox } from "./problem.js";

/**
 * Wrap a task that asks the API, so that of many calls only the newest counts.
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
