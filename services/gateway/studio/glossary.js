// The words of the field in words for a student, and sentences in which they can be looked up.

import { h } from "./dom.js";

const MEANINGS = {
  accuracy: "The share of images that a model classifies correctly, among images that it has not been trained on.",
  activations: "The numbers that a layer computes for one picture. Each layer takes those of the layer before it.",
  cascade: "A small, fast model answers first; a large one is asked only where the small one is not sure.",
  code: "The few numbers into which the first half of an autoencoder squeezes a picture; the other half undoes it.",
  "feature map": "The output of one filter of a convolution, as a picture: bright where its pattern is in the input.",
  gradient: "How much the score of the class would change if one pixel became a little brighter.",
  "Grad-CAM": "Weighs the feature maps of the last convolution by how much the class depends on each: coarse, but calm.",
  "integrated gradients":
    "Adds up the gradients on the way from a black picture to yours, so that all pixels together explain the score.",
  "latent space": "A map of all pictures that a generator can make: near points give similar pictures.",
  logits: "The scores of the classes before they become probabilities. The largest one wins.",
  probability: "How sure the model is of a class, from 0 to 100%. It can be very sure, and wrong.",
  PSNR: "How close two pictures are, in decibels: 30 dB looks good, and 3 dB more is half the error.",
  occlusion: "Covers the picture piece by piece, and notes how far the probability falls.",
  RISE: "Covers the picture with hundreds of random masks, and averages those that leave the class probable.",
  SmoothGrad: "The average gradient over several noisy copies of the picture, which removes most of the speckle.",
  temperature: "How far from the average samples are drawn: low gives typical pictures, high gives unusual ones.",
};

/**
 * An answer to "What am I seeing?".
 * @param {string} text in which words in brackets, such as "[logits]", open their meaning
 */
export function explanation(text) {
  const meaning = h("p", { className: "meaning", hidden: true, role: "status" });
  const terms = [];
  const parts = text.split(/\[([^\]]+)\]/).map((part, index) => {
    if (index % 2 === 0) return part;
    terms.push(term(part, meaning, terms));
    return terms.at(-1);
  });
  return h("div", { className: "seeing wide" }, h("p", {}, h("strong", {}, "What am I seeing? "), ...parts), meaning);
}

function term(word, meaning, all) {
  const button = h("button", { type: "button", className: "term", "aria-expanded": false }, word);
  button.onclick = () => {
    const isOpen = button.ariaExpanded !== "true";
    all.forEach((each) => (each.ariaExpanded = isOpen && each === button));
    meaning.hidden = !isOpen;
    meaning.replaceChildren(h("strong", {}, word), `: ${MEANINGS[word]}`);
  };
  return button;
}
