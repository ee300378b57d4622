// Shows an error of the API with its message, and a way to fix it.

import { useKey } from "./api.js";
import { h } from "./dom.js";

/**
 * A box that shows a problem.
 * @param {Error} problem a Problem of the API, or what went wrong in the page; `way` is what its button
 *   offers instead of another try
 * @param {() => void} retry what the button does
 */
export function problemBox(problem, retry) {
  const title = problem.status ? `${problem.status} ${problem.title}` : (problem.title ?? "The page failed");
  return h(
    "div",
    { className: "problem", role: "alert" },
    h("strong", {}, title),
    h("p", {}, problem.message),
    problem.status === 401 ? keyForm(retry) : h("button", { type: "button", onclick: retry }, problem.way ?? "Try again"),
  );
}

function keyForm(retry) {
  const key = h("input", { type: "password", autocomplete: "off", required: true, name: "key" });
  // Headers cannot contain other characters, and fetch throws for some of them.
  Object.assign(key, { pattern: "[\\x21-\\x7e]+", title: "ASCII letters, digits and punctuation, without spaces" });
  const form = h("form", {}, h("label", {}, "API key ", key), h("button", {}, "Use it in this tab"));
  form.onsubmit = (event) => {
    event.preventDefault();
    useKey(key.value);
    retry();
  };
  return form;
}
