// Lines over time, by uPlot: 1.6.19 is its last release whose published file is ES2017, which televisions read.

import { element, replace } from "./draw.js";
import { format, tick } from "./units.js";

const INK = "#c9ccd3";
const GRID = "#2a2d35";
// Marks on an axis of counts: no half calls.
const WHOLE = [].concat(...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((power) => [1, 2, 5].map((digit) => digit * Math.pow(10, power))));
const sync = uPlot.sync("wall");

function range(view) {
  return (plot, low, high) => {
    const bottom = [view.min, view.soft.min].find((value) => typeof value === "number");
    const top = [view.soft.max, view.max].find((value) => typeof value === "number");
    const [least, most] = [low === null ? 0 : low, high === null ? 1 : high];
    const from = typeof view.min === "number" ? view.min : Math.min(least, bottom === undefined ? least : bottom);
    const wanted = Math.max(most, top === undefined ? most : top);
    const isFixed = typeof view.max === "number" && typeof view.soft.max !== "number";
    const to = isFixed ? view.max : typeof view.max === "number" ? Math.min(wanted, view.max) : wanted;
    const room = (to - from || Math.abs(to) || 1) * 0.05;
    return [typeof bottom === "number" && from === bottom ? from : from - room, to === view.max ? to : to + room];
  };
}

function path(interpolation) {
  const align = { stepAfter: 1, stepBefore: -1 }[interpolation];
  return align ? uPlot.paths.stepped({ align }) : uPlot.paths.linear();
}

function translucent(colour, percent) {
  return percent ? colour + Math.round(percent * 2.55).toString(16).padStart(2, "0") : undefined;
}

// A short piece of a line for the legend: its own dashes, smaller.
function stroke(dash, colour) {
  let at = 0;
  const pieces = dash.map((length, place) => {
    const from = at;
    at += length * 0.4;
    return `${place % 2 ? "transparent" : colour} ${from}px ${at}px`;
  });
  return pieces.length ? `repeating-linear-gradient(90deg, ${pieces.join(", ")})` : colour;
}

// One panel's chart and its legend, with the page's words; `time` writes a moment, `zone` is its time zone or undefined for the
// browser's.
export class Chart {
  constructor(body, words) {
    this.body = body;
    this.words = words;
    this.time = null;
    this.zone = undefined;
    this.plot = null;
    this.form = "";
  }

  show(view, time = this.time, zone = this.zone) {
    this.time = time;
    this.zone = zone;
    if (!view.lines.length) {
      this.remove();
      return replace(this.body, element("p", { className: "nothing" }, view.noValue || "–"));
    }
    this.isWhole = view.lines.every(({ data }) => data.every((value) => value === null || Number.isInteger(value)));
    const styles = view.lines.map(({ data, last, link, ...style }) => style);
    const form = JSON.stringify([this.isWhole, styles, view.unit, zone, this.body.clientWidth, this.body.clientHeight]);
    this.view = view;
    if (form !== this.form) this.make();
    this.form = form;
    this.plot.setData([view.axis, ...view.lines.map((line) => line.data)]);
    this.say(null);
    const { clientWidth: width, clientHeight: height } = this.canvas; // other numbers may want another line in the legend
    if (width !== this.plot.width || height !== this.plot.height) this.plot.setSize({ width, height });
  }

  remove() {
    if (this.plot) this.plot.destroy();
    this.plot = null;
    this.form = "";
  }

  make() {
    this.remove();
    const { view } = this;
    this.canvas = element("div", { className: "canvas", role: "img" });
    this.since = element("p", { className: "since" });
    this.legend = element("ul", { className: "legend" }, ...view.lines.map((line) => this.entry(line)));
    this.say(null);
    replace(this.body, this.canvas, ...(view.legend ? [this.legend] : []), this.since);
    const { fontSize, fontFamily } = getComputedStyle(this.body);
    const size = Math.round(parseFloat(fontSize) * 0.8); // uPlot scales whole pixels only
    const font = `${size}px ${fontFamily}`;
    const mark = this.time(view.axis[0]).length * size * 0.6; // as wide as a moment is written
    const axis = { stroke: INK, font, grid: { stroke: GRID, width: 1 }, ticks: { show: false } };
    const said = (plot, splits) => splits.map((value) => tick(value, view.unit, view.decimals));
    this.plot = new uPlot({
      width: this.canvas.clientWidth,
      height: this.canvas.clientHeight,
      padding: [size / 2, mark / 2, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: sync.key }, drag: { x: false, y: false }, points: { show: false } },
      tzDate: (seconds) => (this.zone ? uPlot.tzDate(new Date(seconds * 1000), this.zone) : new Date(seconds * 1000)),
      scales: { x: {}, y: { range: range(view) } },
      axes: [
        { ...axis, size: size * 2, space: mark * 1.4, values: (plot, splits) => splits.map((value) => this.time(value)) },
        {
          ...axis,
          space: size * 2.2,
          values: said,
          ...(this.isWhole && view.unit !== "percentunit" ? { incrs: WHOLE } : {}),
          size: (plot, values) => (values || []).reduce((most, text) => Math.max(most, text.length), 1) * size * 0.62 + size * 0.8,
        },
      ],
      series: [{}, ...view.lines.map(({ name, colour, width, dash, cap, fill, interpolation, spansGaps }) => ({
        label: name,
        stroke: colour,
        width,
        dash,
        cap,
        fill: translucent(colour, fill),
        paths: path(interpolation),
        spanGaps: spansGaps,
        points: { show: false },
      }))],
      hooks: { setCursor: [(plot) => this.say(plot.cursor.idx)], draw: [(plot) => this.mark(plot, size)] },
    }, [view.axis, ...view.lines.map((line) => line.data)], this.canvas);
  }

  entry({ name, colour, width, dash, cap, mark, link, inLegend }) {
    const sign = element("i", { "aria-hidden": "true" }, mark);
    if (mark) sign.style.color = colour;
    else if (cap === "round") sign.style.borderTop = `4px dotted ${colour}`;
    else Object.assign(sign.style, { height: `${width + 1}px`, background: stroke(dash, colour) });
    const title = link ? element("a", { href: link.href }, name) : name;
    return element("li", { hidden: !inLegend }, sign, title, " ", element("b", {}));
  }

  // The lines' marks, ten times the size of a letter apart, at places of their own on each line.
  mark(plot, size) {
    const { ctx, bbox } = plot;
    const { axis, lines } = this.view;
    const every = Math.max(lines.length, Math.ceil((axis.length * size * 10 * devicePixelRatio) / bbox.width));
    ctx.save();
    Object.assign(ctx, { font: `${size * devicePixelRatio}px sans-serif`, textAlign: "center", textBaseline: "middle" });
    lines.forEach(({ mark, colour, data }, place) => {
      ctx.fillStyle = colour;
      for (let at = Math.round((every * place) / lines.length); mark && at < data.length; at += every) {
        if (data[at] === null) continue;
        ctx.fillText(mark, plot.valToPos(axis[at], "x", true), plot.valToPos(data[at], "y", true));
      }
    });
    ctx.restore();
  }

  // The values in the legend: those under the pointer, else the last ones, which are also the picture's text.
  say(place) {
    const { lines, unit, decimals, noValue, since } = this.view;
    const texts = lines.map(({ data, last }) => {
      if (place === null || place === undefined) return last;
      const value = data[place];
      return value === null || value === undefined ? noValue || "–" : format(value, unit, decimals);
    });
    this.since.textContent = since === null ? "" : this.words.since(this.time(since));
    Array.from(this.legend.querySelectorAll("b")).forEach((entry, number) => (entry.textContent = texts[number]));
    this.canvas.setAttribute("aria-label", lines.map(({ name, last }) => `${name} ${last}`).join("; "));
  }
}
