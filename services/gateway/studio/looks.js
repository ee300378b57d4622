// The pictures that this page looks at: the current one, and the last one of each medium.

import { mediumOf } from "./kinds.js";
import { firstPictureOf, pictureOf } from "./picture.js";

/**
 * @typedef {Object} Look
 * @property {Picture} picture
 * @property {boolean} invert
 */

/** A memory of looks. */
export function looks() {
  const lastOf = new Map();
  let current = null;

  function keep(look) {
    current = look;
    lastOf.set(look.picture.medium, look);
  }

  /** The look that an address names, else the current one; null if there is none yet. */
  async function read(parameters) {
    const token = parameters.get("picture");
    if (!token) return current;
    const picture = token === current?.picture.token ? current.picture : await pictureOf(token);
    return { picture, invert: parameters.get("invert") === "true" };
  }

  /** A look that one of some models takes: the given one, else the last or the first of their medium. */
  async function fit(models, look = null) {
    const media = models.map(mediumOf);
    if (look && media.includes(look.picture.medium)) return look;
    return lastOf.get(media[0]) ?? { picture: await firstPictureOf(media[0]), invert: false };
  }

  /** The current look as parameters of an address. */
  function parameters() {
    const { picture, invert } = current ?? {};
    return new URLSearchParams(picture?.token ? { picture: picture.token, ...(invert && { invert }) } : {});
  }

  return { keep, read, fit, parameters };
}
