// The saliency maps of all methods that a model offers, asked for one after the other.

import { curlOf } from "../curl.js";
import { h } from "../dom.js";
import { noPicture } from "../empty.js";
import { mediumOf } from "../kinds.js";
import { classChoice } from "./saliency_class.js";
import { isSlow, methodMap, requestOf } from "./saliency_map.js";

/** The maps, and the choice of the class that they explain. */
export class SaliencyMaps {
  element = h("div");
  classes = h("div");
  #set;
  #signal;
  #state;
  #curl;
  #maps = [];
  #classOf;
  #turn = 0;

  /**
   * @param {Object} context of the view
   * @param {Object} state of the view: picture, invert, model, classIndex, method, strength, score
   * @param {Object} curl the box for the call of the chosen method
   */
  constructor({ set, signal }, state, curl) {
    this.#set = set;
    this.#signal = signal;
    this.#state = state;
    this.#curl = curl;
  }

  /** Make room for the maps of a model. */
  open(model, classIndex) {
    const methods = model.saliency_methods;
    Object.assign(this.#state, { model, classIndex });
    if (!methods.includes(this.#state.method)) this.#state.method = methods[0];
    this.#maps = methods.map((method) => this.#mapOf(method));
    this.#classOf = classChoice(this.#state, this.#signal, (index) => this.#chooseClass(index));
    this.classes.replaceChildren(this.#classOf.element);
    this.element.className = `maps of-${mediumOf(model)}`;
    this.element.replaceChildren(...this.#maps.map(({ element }) => element));
  }

  /** Ask for one map after the other, the chosen one first, until there is a newer picture. */
  async explain() {
    this.#turn += 1;
    const turn = this.#turn;
    this.#describe();
    if (!this.#state.picture.blob) return this.#maps.forEach((map) => map.empty(noPicture()));
    this.#classOf.look();
    const waits = ({ method, isChosen }) => isSlow(method, this.#state.model) && !isChosen();
    this.#maps.filter(waits).forEach((map) => map.wait());
    const asked = this.#maps.filter((map) => !waits(map));
    for (const map of asked.toSorted((one, other) => other.isChosen() - one.isChosen())) {
      await map.explain();
      if (this.#turn !== turn || this.#signal.aborted) return;
    }
  }

  draw() {
    this.#maps.forEach((map) => map.draw());
  }

  #mapOf(method) {
    return methodMap(method, this.#state, this.#signal, () => this.#chooseMethod(method));
  }

  #describe() {
    this.#maps.forEach((map) => map.mark());
    this.#curl.show(this.#state.picture.blob ? curlOf(requestOf(this.#state, this.#state.method)) : "");
  }

  #chooseMethod(method) {
    this.#state.method = method;
    this.#set({ method });
    this.#describe();
    const chosen = this.#maps.find((map) => map.isChosen());
    if (this.#state.picture.blob && !chosen.isShown()) chosen.explain();
  }

  #chooseClass(classIndex) {
    this.#state.classIndex = classIndex;
    this.#set({ class: classIndex });
    this.explain();
  }
}
