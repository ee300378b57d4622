// The same call for a terminal, as a line that works wherever it is pasted.

import { hasKey, headersOf, urlOf } from "./api.js";
import { h } from "./dom.js";

const FOLDED = "lectern.curl-folded";

/**
 * Write calls as lines of a shell.
 * @param {Request} request
 * @param {string} [file] where the answer goes; none for what a terminal can show
 */
export function curlOf(request, file) {
  const words = curlWords();
  for (const [name, value] of Object.entries(headersOf(request))) {
    // JSON needs no header: the gateway knows it.
    if (!(request.json && name === "Content-Type")) words.push("-H", quote(`${name}: ${value}`));
  }
  if (request.json) words.push("-d", quote(JSON.stringify(request.json)));
  if (request.picture) words.push("--data-binary", request.picture.shell.operand);
  if (request.code) words.push("--data-binary", "@-");
  words.push(quote(urlOf(request)));
  if (file) words.push("-o", file);
  return [request.picture?.shell.source, words.join(" ")].filter(Boolean).join(" | ");
}

/** How a line begins; a key is a secret, so a placeholder stands for it. */
export function curlWords() {
  return hasKey() ? ["curl", "-H", quote("Authorization: Bearer KEY")] : ["curl"];
}

/** Put text into single quotes for a shell. */
export function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A box with lines to copy, which folds away; `show(text)` changes them. */
export function curlBox(title = "The same call from the command line") {
  const code = h("code");
  const copy = h("button", { type: "button", className: "quiet" }, "Copy");
  copy.onclick = async () => {
    await navigator.clipboard.writeText(code.textContent);
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  };
  const lines = h("pre", { tabIndex: 0, role: "region", "aria-label": title }, code);
  const heading = h("h2", {}, title);
  const element = h("details", { className: "curl" }, h("summary", {}, heading), h("div", {}, lines, copy));
  element.open = localStorage.getItem(FOLDED) === null;
  element.ontoggle = () => {
    if (element.open) localStorage.removeItem(FOLDED);
    else localStorage.setItem(FOLDED, true);
  };
  return { element, show: (text) => (code.textContent = text) };
}
