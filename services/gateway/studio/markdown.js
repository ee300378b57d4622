// The Markdown of model cards as elements: headings, paragraphs, lists, tables, code and links.

import { h } from "./dom.js";

const INLINE = /(`[^`]+`|\[[^\]]+\]\([^)]+\)|\*\*[^*]+\*\*)/;

/**
 * Render Markdown; what is not known stays text.
 * @param {string} text
 * @returns {HTMLElement[]}
 */
export function render(text) {
  return blocksOf(text).map((lines) => {
    const [first] = lines;
    // One level down, since the page has a title of its own.
    const heading = first.match(/^(#{1,4}) (.*)/);
    if (heading) return h(`h${heading[1].length + 1}`, {}, ...inline(heading[2]));
    if (first.startsWith("```")) return code(lines);
    if (first.startsWith("|")) return table(lines);
    if (first.startsWith("- ")) return list(lines);
    return h("p", {}, ...inline(lines.join(" ")));
  });
}

/** The rows of the first table of a text, without its head, as cells. */
export function firstTable(text) {
  const lines = blocksOf(text).find(([first]) => first.startsWith("|")) ?? [];
  return lines.slice(2).map(cellsOf);
}

/** The first paragraph of a text. */
export function firstParagraph(text) {
  return blocksOf(text).find(([first]) => !first.startsWith("#"))?.join(" ") ?? "";
}

/** Blocks are parted by empty lines, but for those inside of code. */
function blocksOf(text) {
  const blocks = [[]];
  let inCode = false;
  for (const line of text.split("\n")) {
    if (line.startsWith("```")) inCode = !inCode;
    if (line.trim() || inCode) blocks.at(-1).push(line);
    else blocks.push([]);
  }
  return blocks.filter((lines) => lines.length);
}

function inline(text) {
  return text.split(INLINE).map((part) => {
    const link = part.match(/^\[(.+)\]\((.+)\)$/);
    // A path leads through the repository, which this page does not see.
    if (link) return /^https?:/.test(link[2]) ? h("a", { href: link[2] }, link[1]) : link[1];
    if (/^`.+`$/.test(part)) return h("code", {}, part.slice(1, -1));
    if (/^\*\*.+\*\*$/.test(part)) return h("strong", {}, part.slice(2, -2));
    return part;
  });
}

function code(lines) {
  const text = lines.slice(1).filter((line) => !line.startsWith("```")).join("\n");
  return h("pre", { tabIndex: 0 }, h("code", {}, text));
}

function table(lines) {
  const row = (cell, line) => h("tr", {}, ...cellsOf(line).map((text) => h(cell, {}, ...inline(text))));
  const [head, , ...rows] = lines;
  const body = h("tbody", {}, ...rows.map((line) => row("td", line)));
  return h("div", { className: "table", tabIndex: 0 }, h("table", {}, h("thead", {}, row("th", head)), body));
}

function cellsOf(line) {
  return line.split("|").slice(1, -1).map((cell) => cell.trim());
}

function list(lines) {
  const items = lines.join("\n").split(/\n(?=- )/);
  return h("ul", {}, ...items.map((item) => h("li", {}, ...inline(item.slice(2).replaceAll(/\s+/g, " ")))));
}
