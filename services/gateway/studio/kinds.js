// Kinds of models, told apart by the images that they take, or else make.

/** What is drawn on the pad: small and grey. */
export const DRAWING = "drawing";
/** A picture of any size, in colour. */
export const PHOTOGRAPH = "photograph";

/** The task of models that continue text, which take and make no images. */
export const TEXT = "generate_text";

// The longest side of a drawing.
const DRAWING_SIDE = 64;
const COLOURS = { 1: "grey", 3: "colour", 4: "colour with opacity" };

/** The medium of a model's images: DRAWING or PHOTOGRAPH; null if it has none. */
export function mediumOf({ images }) {
  if (!images) return null;
  const { height, width, channels } = images;
  const isSmall = height && width && Math.max(height, width) <= DRAWING_SIDE;
  return channels === 1 && isSmall ? DRAWING : PHOTOGRAPH;
}

/** The title of a model's kind, such as "Drawings, 28×28 grey". */
export function kindOf(model) {
  const medium = mediumOf(model);
  if (!medium) return model.tasks.includes(TEXT) ? "Text" : "Other inputs";
  return `${medium === DRAWING ? "Drawings" : "Photographs"}, ${sizeOf(model.images)} ${COLOURS[model.images.channels]}`;
}

/** The size of images in words: width×height, or "any size". */
export function sizeOf({ height, width }) {
  return height && width ? `${width}×${height}` : "any size,";
}

/** Models by kind, the kinds in the order of their first models, those without images last. */
export function groupsOf(models) {
  const sorted = models.toSorted((one, other) => !one.images - !other.images);
  return Array.from(Map.groupBy(sorted, kindOf), ([title, members]) => ({ title, models: members }));
}
