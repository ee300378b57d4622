// Where files come from: a button that opens them, dropping, and pasting.

import { h } from "./dom.js";

/** A button for files, and the field behind it. */
export function openButton(onFile) {
  const field = h("input", { type: "file", accept: "image/*", className: "hidden", tabIndex: -1 });
  field.setAttribute("aria-label", "Picture file");
  field.onchange = () => field.files[0] && onFile(field.files[0]);
  return [h("button", { type: "button", onclick: () => field.click() }, "Open…"), field];
}

/** Take pictures that are dropped on an element, or pasted into the page. */
export function takeFiles(element, onFile, signal) {
  const take = (event, transfer) => {
    const file = Array.from(transfer?.files ?? []).find(({ type }) => type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    onFile(file);
  };
  document.addEventListener("paste", (event) => take(event, event.clipboardData), { signal });
  element.addEventListener("dragover", (event) => event.preventDefault());
  element.addEventListener("drop", (event) => take(event, event.dataTransfer));
}
