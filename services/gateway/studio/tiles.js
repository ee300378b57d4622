// The gateway's contact sheets, with the ground of the page between their tiles.

// Between two tiles, in pixels; as `services/gateway/codecs/tiling.py` lays them out.
const GAP = 4;

/**
 * The place of a tile on a contact sheet, whose rows are as near to a square as can be.
 * @param {{width: number, height: number}} sheet
 * @param {number} count of the tiles
 * @param {number} index
 */
export function tileAt(sheet, count, index) {
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const width = (sheet.width + GAP) / columns - GAP;
  const height = (sheet.height + GAP) / rows - GAP;
  return { x: (index % columns) * (width + GAP), y: Math.floor(index / columns) * (height + GAP), width, height };
}

/**
 * The index of the tile under a point of a contact sheet; null where there is none.
 * @param {{width: number, height: number}} sheet
 * @param {number} count of the tiles
 * @param {number} x in pixels of the sheet
 * @param {number} y
 */
export function tileUnder(sheet, count, x, y) {
  const columns = Math.ceil(Math.sqrt(count));
  const { width, height } = tileAt(sheet, count, 0);
  const index = Math.floor(y / (height + GAP)) * columns + Math.floor(x / (width + GAP));
  return index < count ? index : null;
}

/**
 * Draw a contact sheet without its black gaps.
 * @param {HTMLCanvasElement} canvas
 * @param {ImageBitmap} sheet
 * @param {number} count of the tiles
 */
export function drawTiles(canvas, sheet, count) {
  Object.assign(canvas, { width: sheet.width, height: sheet.height });
  const context = canvas.getContext("2d");
  for (let index = 0; index < count; index += 1) {
    const { x, y, width, height } = tileAt(sheet, count, index);
    context.drawImage(sheet, x, y, width, height, x, y, width, height);
  }
}
