// A field that finds one of many classes by its name.

import { className, h } from "./dom.js";

const MATCHES = 8;
let fields = 0;

/**
 * A field with a list of the classes that match what is typed (the combobox pattern of WAI-ARIA).
 * @param {string} label
 * @param {Array<string|null>} classes
 * @param {(index: number) => void} onChoose
 */
export function classSearch(label, classes, onChoose) {
  fields += 1;
  const list = h("ul", { role: "listbox", id: `classes-${fields}`, hidden: true, "aria-label": "Classes found" });
  const field = h("input", { type: "search", role: "combobox", autocomplete: "off", placeholder: label });
  for (const [name, value] of Object.entries({
    "aria-label": label,
    "aria-controls": list.id,
    "aria-expanded": false,
    "aria-autocomplete": "list",
  })) {
    field.setAttribute(name, value);
  }
  let active = 0;

  function open() {
    const found = matches(classes, field.value);
    list.replaceChildren(...found.map((index, place) => option(list.id, place, classes, index, () => take(index))));
    active = 0;
    mark();
  }

  function mark() {
    const options = Array.from(list.children);
    list.hidden = !options.length;
    field.setAttribute("aria-expanded", options.length > 0);
    options.forEach((each, place) => each.setAttribute("aria-selected", place === active));
    field.setAttribute("aria-activedescendant", options[active]?.id ?? "");
  }

  function close() {
    list.replaceChildren();
    mark();
  }

  function take(index) {
    field.value = "";
    close();
    onChoose(index);
  }

  field.oninput = open;
  field.onblur = close;
  field.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const count = list.children.length;
    if (step && count) {
      active = (active + step + count) % count;
      mark();
      event.preventDefault();
    } else if (event.key === "Enter") list.children[active]?.onpointerdown(event);
    else if (event.key === "Escape") close();
  };
  return h("div", { className: "search" }, field, list);
}

/** The first few classes whose name contains a text or whose number is it, those that start with it first. */
function matches(classes, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const placed = classes
    .map((_, index) => ({ index, at: placeIn(className(classes, index).toLowerCase(), index, wanted) }))
    .filter(({ at }) => at >= 0);
  return placed.sort((one, other) => one.at - other.at || one.index - other.index).slice(0, MATCHES).map(({ index }) => index);
}

function placeIn(name, index, wanted) {
  return String(index) === wanted ? 0 : name.indexOf(wanted);
}

function option(listId, place, classes, index, onTake) {
  const number = h("span", { className: "muted" }, String(index));
  const element = h("li", { role: "option", id: `${listId}-${place}` }, className(classes, index), number);
  // Before the field loses the focus and closes the list.
  element.onpointerdown = (event) => {
    event.preventDefault();
    onTake();
  };
  return element;
}
