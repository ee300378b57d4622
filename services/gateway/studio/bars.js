// The probabilities of classes as bars: all of them, or of many the first few.

import { certainty, className, h } from "./dom.js";

// Of more classes than this, only the most probable ones are shown.
const ROWS_AT_MOST = 12;
const TOP = 5;

/** Whether a model has more classes than there are bars for. */
export function hasMany(classes) {
  return classes.length > ROWS_AT_MOST;
}

/**
 * Bars of a model's classes.
 * @param {Array<string|null>} classes
 * @returns {{element: HTMLElement, count: () => number, show: Function, pin: (index: number) => void}}
 *   `count` is how many classes to ask for, `show` takes a prediction, `pin` adds a class that is
 *   shown whatever its rank
 */
export function classBars(classes) {
  const isMany = hasMany(classes);
  const rows = Array.from({ length: isMany ? TOP + 1 : classes.length }, classRow);
  const element = h("ol", { className: isMany ? "bars of-many-classes" : "bars" }, ...rows.map((row) => row.element));
  let pinned = null;
  // Before the first answer, so that it moves nothing.
  rows.slice(0, isMany ? TOP : rows.length).forEach((row, index) => row.show(isMany ? "…" : className(classes, index)));

  function show({ top, class_index: first }) {
    const byIndex = new Map(top.map((each) => [each.class_index, each]));
    const ranked = isMany ? top.slice(0, TOP).map((each) => each.class_index) : Array.from(classes.keys());
    const places = pinned === null || ranked.includes(pinned) ? ranked : [...ranked, pinned];
    rows.forEach((row, place) => {
      const index = places[place];
      const sure = byIndex.get(index) ?? { probability: 0 };
      row.show(index === undefined ? null : className(classes, index), sure, index === first);
    });
  }

  return {
    element,
    count: () => (isMany && pinned === null ? TOP : classes.length),
    show,
    pin: (index) => (pinned = index),
  };
}

/** Bars of the scores of a few classes, from the lowest score to the highest. */
export function scoreBars(classes, scores) {
  const [lowest, highest] = [Math.min(...scores), Math.max(...scores)];
  const rows = scores.map((score, index) => {
    const row = classRow();
    row.show(className(classes, index), { probability: null, score }, score === highest);
    row.fill((score - lowest) / (highest - lowest || 1));
    return row.element;
  });
  return h("ol", { className: "bars" }, ...rows);
}

function classRow() {
  const name = h("span", { className: "name" });
  const bar = h("span", { className: "bar" });
  const value = h("span", { className: "value" });
  const element = h("li", {}, name, bar, value);
  const fill = (share) => bar.style.setProperty("--share", share);
  const show = (label, sure = null, isTop = false) => {
    element.hidden = label === null;
    Object.assign(name, { textContent: label, title: label });
    fill(sure?.probability ?? 0);
    value.textContent = sure ? certainty(sure) : "";
    element.classList.toggle("is-top", isTop);
  };
  show(null);
  return { element, show, fill };
}
