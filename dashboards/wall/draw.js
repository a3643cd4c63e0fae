// Views of panels (see panels.js) as elements of the page.

import { hex, ink } from "./fields.js";

export function element(name, attributes, ...children) {
  const made = document.createElement(name);
  Object.keys(attributes).forEach((key) => (key in made ? (made[key] = attributes[key]) : made.setAttribute(key, attributes[key])));
  made.append(...children);
  return made;
}

function linked(link, text) {
  return link ? element("a", { href: link.href, title: link.title || "" }, text) : text;
}

function nothing(text) {
  return element("p", { className: "nothing" }, text || "–");
}

const pen = document.createElement("canvas").getContext("2d");

// The font size in pixels at which a text fills a box and does not leave it.
function fitting(text, width, height) {
  pen.font = `600 100px ${getComputedStyle(document.body).fontFamily}`;
  return Math.floor(Math.min(height / 1.15, (width / pen.measureText(text).width) * 100));
}

function stat(body, view, panel) {
  const { colorMode, textMode, orientation } = panel.options;
  const list = element("dl", { className: `values ${orientation === "horizontal" ? "stacked" : "abreast"}` });
  view.values.forEach(({ name, text, colour, known, link }) => {
    const box = element("div", { className: known ? "value" : "value unknown" });
    if (name && textMode !== "value") box.append(element("dt", {}, name));
    const said = element("dd", {}, linked(link, element("span", {}, textMode === "name" ? name : text)));
    if (colorMode.startsWith("background")) Object.assign(box.style, { backgroundColor: hex(colour), color: ink(colour) });
    if (colorMode === "value" && known) said.style.color = hex(colour);
    box.append(said);
    list.append(box);
  });
  replace(body, list);
  fitStat(body);
}

// Names grow with their box and shrink, all of a panel alike, before one is cut; each value fills what is left of its box, but
// none is much larger than the smallest beside it.
export function fitStat(body) {
  const names = Array.from(body.querySelectorAll("dt"));
  names.forEach((name) => (name.style.fontSize = ""));
  const sizes = names.map((name) => {
    const least = parseFloat(getComputedStyle(name).fontSize);
    const grown = Math.max(least, Math.min(1.6 * least, name.parentNode.clientHeight * 0.19));
    return Math.min(grown, fitting(name.textContent, name.clientWidth - 2, Infinity));
  });
  names.forEach((name) => (name.style.fontSize = `${Math.min(...sizes)}px`));
  const boxes = Array.from(body.querySelectorAll("dd"));
  const largest = boxes.map((box) => fitting(box.textContent, box.clientWidth - 8, box.clientHeight));
  boxes.forEach((box, place) => (box.style.fontSize = `${Math.max(14, Math.min(largest[place], 2.2 * Math.min(...largest)))}px`));
}

function table(body, view, panel) {
  body.parentNode.dataset.below = "";
  if (!view.rows.length) return replace(body, nothing(view.noValue));
  const head = element("tr", {}, ...view.columns.map(({ name, align, width }) => {
    const cell = element("th", { scope: "col", className: align }, name);
    if (width) cell.style.width = `${width}px`;
    return cell;
  }));
  const rows = view.rows.map((cells) => element("tr", {}, ...cells.map((cell, place) => {
    const made = element(place ? "td" : "th", { className: view.columns[place].align }, linked(cell.link, cell.text));
    if (!place) made.scope = "row";
    if (!cell.known) made.classList.add("unknown");
    if (cell.isWrapped) made.classList.add("wrapped");
    if (cell.colour) { // also of what is not known, which is grey
      Object.assign(made.style, cell.isFilled ? { backgroundColor: hex(cell.colour), color: ink(cell.colour) } : { color: hex(cell.colour) });
    }
    return made;
  })));
  const caption = element("caption", { className: "unseen" }, panel.title);
  const isOfText = view.rows.some((cells) => cells.some(({ isWrapped }) => isWrapped));
  replace(body, element("table", { className: isOfText ? "cards" : "" }, caption, element("thead", {}, head), element("tbody", {}, ...rows)));
  fitTable(body);
}

// As large as every row allows, but not smaller than can be read; then it scrolls, and its panel says how many rows are below.
export function fitTable(body) {
  const fits = () => body.scrollHeight <= body.clientHeight + 1 && body.scrollWidth <= body.clientWidth;
  let size = 130;
  do body.style.fontSize = `${size}%`;
  while (!fits() && (size -= 5) >= 60);
  const below = Array.from(body.querySelectorAll("tbody tr")).filter((row) => row.offsetTop + row.offsetHeight > body.clientHeight + 1);
  body.parentNode.dataset.below = below.length ? `↓ ${below.length}` : "";
  if (below.length) body.tabIndex = 0;
  else body.removeAttribute("tabindex");
}

function timeline(body, view, panel, time) {
  if (!view.rows.length) return replace(body, nothing(view.noValue));
  const length = view.to - view.from;
  const rows = view.rows.map(({ name, runs, now, link }) => {
    const track = element("div", { className: "track", "aria-hidden": "true" });
    runs.forEach(({ from, to, text, colour }) => {
      const run = element("span", { title: `${text}, ${time(from)}–${time(to)}` }, view.words ? text : "");
      Object.assign(run.style, {
        left: `${((from - view.from) / length) * 100}%`,
        width: `${((to - from) / length) * 100}%`,
        backgroundColor: hex(colour),
        color: ink(colour),
      });
      track.append(run);
    });
    const state = element("td", { className: "state" }, now.text);
    return element("tr", {}, element("th", { scope: "row" }, linked(link, name)), element("td", {}, track), state);
  });
  const marks = element("td", { className: "marks" }, ...[0, 1, 2, 3, 4].map((part) => element("span", {}, time(view.from + (length * part) / 4))));
  const foot = element("tr", { "aria-hidden": "true" }, element("td", {}), marks, element("td", {}));
  const caption = element("caption", { className: "unseen" }, panel.title);
  replace(body, element("table", { className: "timeline" }, caption, element("tbody", {}, ...rows), element("tfoot", {}, foot)));
}

export function replace(body, ...children) {
  while (body.firstChild) body.removeChild(body.firstChild);
  body.append(...children);
}

export const DRAWN = { stat, table, "state-timeline": timeline };
