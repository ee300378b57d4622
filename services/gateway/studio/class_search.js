// A field that finds one of many classes by its name.

import { className, h } from "./dom.js";

const MATCHES = 8;
let fields = 0;

/** A field with a list of the classes that match what is typed (the combobox pattern of WAI-ARIA). */
export class ClassSearch {
  #classes;
  #onChoose;
  #active = 0;
  #field = h("input", { type: "search", role: "combobox", autocomplete: "off" });
  #list = h("ul", { role: "listbox", "aria-label": "Classes found" });

  /**
   * @param {string} label
   * @param {Array<string|null>} classes
   * @param {(index: number) => void} onChoose
   */
  constructor(label, classes, onChoose) {
    fields += 1;
    this.#classes = classes;
    this.#onChoose = onChoose;
    this.#list.id = `classes-${fields}`;
    Object.assign(this.#field, { placeholder: label, ariaLabel: label, ariaAutoComplete: "list" });
    this.#field.setAttribute("aria-controls", this.#list.id);
    this.#field.oninput = () => this.#offer(matches(classes, this.#field.value));
    this.#field.onblur = () => this.#offer([]);
    this.#field.onkeydown = (event) => this.#press(event);
    this.#offer([]);
    this.element = h("div", { className: "search" }, this.#field, this.#list);
  }

  #offer(found) {
    const options = found.map((index, place) => option(`${this.#list.id}-${place}`, index, this.#classes));
    options.forEach((each, place) => {
      // Before the field loses the focus and closes the list.
      each.onpointerdown = (event) => {
        event.preventDefault();
        this.#take(found[place]);
      };
    });
    this.#list.replaceChildren(...options);
    this.#turnTo(0);
  }

  #turnTo(place) {
    const options = Array.from(this.#list.children);
    this.#active = place;
    this.#list.hidden = !options.length;
    this.#field.ariaExpanded = options.length > 0;
    this.#field.setAttribute("aria-activedescendant", options[place]?.id ?? "");
    options.forEach((each, index) => (each.ariaSelected = index === place));
  }

  #take(index) {
    this.#field.value = "";
    this.#offer([]);
    this.#onChoose(index);
  }

  #press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const count = this.#list.children.length;
    if (step && count) {
      this.#turnTo((this.#active + step + count) % count);
      event.preventDefault();
    } else if (event.key === "Enter" && count) this.#take(Number(this.#list.children[this.#active].value));
    else if (event.key === "Escape") this.#offer([]);
  }
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

function option(id, index, classes) {
  const number = h("span", { className: "muted" }, String(index));
  return h("li", { role: "option", id, value: index }, className(classes, index), number);
}
