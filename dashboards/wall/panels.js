// A panel of a board and the answers to its queries become what is to be shown: texts, colours, rows and lines.

import { configOf, display, hex, palette, rank } from "./fields.js";
import { builtins, duration, stepOf } from "./timerange.js";
import { address, fill, inQuery } from "./variables.js";

// The queries of a panel: what to ask Prometheus, for a range, a width in points and what is chosen (see variables.js).
export function requests(panel, range, points, chosen) {
  const coarsest = panel.targets.concat(panel).map(({ interval }) => (interval ? duration(interval) : 0));
  const step = Math.max(stepOf(range, points), ...coarsest); // one for all: the lines share their time axis
  return [].concat(...panel.targets.filter((target) => !target.hide).map((target) => {
    const known = builtins(range, step);
    const query = fill(target.expr, (name) => (name in chosen ? inQuery(chosen[name]) : known[name]));
    const first = Math.ceil(range.from / step) * step;
    const last = Math.floor(range.to / step) * step;
    const now = { refId: target.refId, path: "query", body: { query, time: range.to } };
    if (!target.range) return [now];
    // The end of a line is up to a step old: what its legend says is asked for apart, of the moment that the numbers beside it are of.
    return [{ refId: target.refId, path: "query_range", step, first, last, body: { query, start: first, end: last, step } }, now];
  }));
}

const number = (text) => ({ "+Inf": Infinity, "-Inf": -Infinity }[text] || Number(text));

function named(target, metric) {
  return target.legendFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, label) => metric[label] || "");
}

// Every series of every answer, with the configuration of its field.
function series(panel, answers) {
  const shown = panel.targets.filter((target) => answers[target.refId]);
  return [].concat(...shown.map((target) => answers[target.refId].map((result) => {
    const name = named(target, result.metric);
    const samples = (result.values || [result.value]).map(([time, text]) => [time, number(text)]);
    return { name, labels: result.metric, samples, config: configOf(panel, { name, refId: target.refId }), target };
  })));
}

function linked(config, here, context) {
  const links = config.links || [];
  return links.length ? { href: address(links[0].url, context.chosen, context.range, here), title: links[0].title } : null;
}

// What the same series of the same query is at the end of the range; undefined for one that is not there then.
function present(now, { target, labels }) {
  const pairs = ({ __name__: unused, ...others }) => JSON.stringify(Object.keys(others).sort().map((key) => [key, others[key]]));
  const same = (now[target.refId] || []).filter(({ metric }) => pairs(metric) === pairs(labels));
  return same.length ? number(same[0].value[1]) : undefined;
}

const last = (samples) => samples.map(([, value]) => value).filter((value) => !isNaN(value)).pop();

function stat(panel, answers, context) {
  const values = series(panel, answers).map(({ name, labels, samples, config }) => {
    const value = last(samples);
    return { name, ...display(value, config), link: linked(config, { name, labels, said: (key) => labels[key] || "", value }, context) };
  });
  if (values.length) return { values };
  const { text, colour } = display(null, configOf(panel, {}));
  return { values: [{ name: "", text, colour, known: false, link: null }] };
}

// The samples on the common time axis of all; a step without a sample is null, which is drawn as a gap.
function aligned(samples, axis) {
  const byTime = new Map(samples.map(([time, value]) => [Math.round(time), isNaN(value) ? null : value]));
  return axis.map((time) => (byTime.has(time) ? byTime.get(time) : null));
}

function axisOf({ first, last: end, step }) {
  return Array.from({ length: Math.max(0, Math.round((end - first) / step) + 1) }, (unused, place) => first + place * step);
}

// What tells lines apart that have the same width and dashes.
const MARKS = ["●", "▲", "■", "◆", "▼", "○", "△", "□", "◇", "▽"];

function timeseries(panel, answers, context) {
  const axis = axisOf(context.request);
  const lines = series(panel, answers).map((one, place) => {
    const { name, labels, samples, config } = one;
    const fixed = config.color && config.color.mode === "fixed" && config.color.fixedColor;
    const custom = config.custom;
    const style = custom.lineStyle || {};
    const data = aligned(samples, axis);
    const value = present(context.now, one);
    return {
      name,
      data,
      colour: hex(fixed || palette(place)),
      width: custom.lineWidth === undefined ? 1 : custom.lineWidth,
      dash: style.fill === "dash" || style.fill === "dot" ? style.dash || [10, 10] : [],
      cap: style.fill === "dot" ? "round" : "butt", // a dot is a dash of no length, which only its ends make visible
      fill: custom.fillOpacity || 0,
      interpolation: custom.lineInterpolation || "linear",
      spansGaps: custom.spanNulls === true,
      isLimit: Boolean(fixed), // or another line to compare with
      mark: "",
      inLegend: !(custom.hideFrom && custom.hideFrom.legend),
      last: display(value, config).text,
      link: linked(config, { name, labels, said: (key) => labels[key] || "", value }, context),
    };
  });
  const alike = (one) => lines.filter(({ width, dash, cap }) => width === one.width && cap === one.cap && dash.join() === one.dash.join());
  lines.filter((line) => alike(line).length > 1).forEach((line, place) => (line.mark = MARKS[place % MARKS.length]));
  const plain = lines.filter(({ isLimit }) => !isLimit);
  const { unit, decimals, min = null, max = null, noValue, custom } = configOf(panel, {});
  const soft = { min: custom.axisSoftMin, max: custom.axisSoftMax };
  const legend = panel.options.legend.showLegend !== false && panel.options.legend.displayMode !== "hidden";
  return { axis, lines, unit, decimals, min, max, soft, noValue, legend, since: since(plain, axis) };
}

// When the first of some lines begins, where that is so late that the beginning of the chart would look as if nothing had been;
// null where it is not.
function since(lines, axis) {
  const starts = lines.map(({ data }) => data.findIndex((value) => value !== null)).filter((place) => place >= 0);
  const start = Math.min(...starts);
  return starts.length && start > axis.length / 20 ? axis[start] : null;
}

// Runs of the same text and colour, from one step to the next.
function runs(samples, axis, config, step) {
  const found = [];
  aligned(samples, axis).forEach((value, place) => {
    const { text, colour } = value === null ? {} : display(value, config);
    const before = found[found.length - 1];
    const time = axis[place];
    if (before && before.text === text && before.colour === colour) before.to = time + step;
    else found.push({ from: time, to: time + step, text, colour });
  });
  return found.filter((run) => run.text !== undefined);
}

function timeline(panel, answers, context) {
  const axis = axisOf(context.request);
  const rows = series(panel, answers).map((one) => {
    const { name, labels, samples, config } = one;
    const value = present(context.now, one);
    return {
      name,
      runs: runs(samples, axis, config, context.request.step),
      now: display(value, config),
      link: linked(config, { name, labels, said: (key) => labels[key] || "", value }, context),
    };
  });
  const { first, last: end, step } = context.request;
  return { rows, from: first, to: end + step, noValue: panel.fieldConfig.defaults.noValue, words: panel.options.showValue !== "never" };
}

// One frame of a table query: its columns in order and its rows by column name.
function frame(target, results, single) {
  const value = single ? "Value" : `Value #${target.refId}`;
  const found = [].concat(...results.map(({ metric }) => Object.keys(metric)));
  const labels = found.filter((label, place) => found.indexOf(label) === place).sort();
  const columns = ["Time"].concat(labels, [value]);
  const none = Object.assign({}, ...labels.map((label) => ({ [label]: "" }))); // as Grafana has a label that a series lacks
  const rows = results.map(({ metric, value: [time, text] }) => ({ Time: time, ...none, ...metric, [value]: number(text) }));
  return { columns, rows };
}

// Grafana's `joinByField`, outer: rows of different frames with the same key become one. A frame without the key is left out, and
// columns of one name are numbered.
export function join(frames, key) {
  const keyed = frames.filter(({ columns }) => columns.includes(key));
  const names = [].concat(...keyed.map(({ columns }) => columns.filter((name) => name !== key)));
  const numbered = (name, frame) => {
    const before = keyed.slice(0, frame).filter(({ columns }) => columns.includes(name)).length;
    return names.filter((one) => one === name).length > 1 ? `${name} ${before + 1}` : name;
  };
  const joined = new Map();
  keyed.forEach(({ columns, rows }, frame) => rows.forEach((row) => {
    if (!joined.has(row[key])) joined.set(row[key], { [key]: row[key] });
    columns.filter((name) => name !== key).forEach((name) => (joined.get(row[key])[numbered(name, frame)] = row[name]));
  }));
  const columns = [].concat(...keyed.map((one, frame) => one.columns.filter((name) => name !== key).map((name) => numbered(name, frame))));
  return { columns: keyed.length ? [key].concat(columns) : [], rows: Array.from(joined.values()) };
}

function organized(columns, { excludeByName = {}, indexByName = {}, renameByName = {} }) {
  const place = (name) => (name in indexByName ? indexByName[name] : Infinity);
  return columns
    .filter((name) => !excludeByName[name])
    .map((name, order) => ({ name, shown: renameByName[name] || name, order }))
    .sort((one, other) => place(one.name) - place(other.name) || one.order - other.order);
}

// By one column; what is not known comes last.
function sorted(rows, { field, desc }) {
  const isKnown = (row) => typeof row[field] === "string" || (typeof row[field] === "number" && !isNaN(row[field]));
  const order = (one, other) => (one[field] < other[field] ? -1 : one[field] > other[field] ? 1 : 0);
  const known = rows.filter(isKnown).sort((one, other) => (desc ? order(other, one) : order(one, other)));
  return known.concat(rows.filter((row) => !isKnown(row)));
}

// What the transformations of a table make of its frames: columns as they are asked for, and rows by column name.
function transformed(panel, frames) {
  const options = (id) => ((panel.transformations || []).find((one) => one.id === id) || { options: {} }).options;
  const { byField } = options("joinByField");
  const { columns, rows } = byField ? join(frames, byField) : frames[0];
  const [by] = options("sortBy").sort || [];
  return { columns: organized(columns, options("organize")), rows: by ? sorted(rows, by) : rows };
}

function table(panel, answers, context) {
  const targets = panel.targets.filter((target) => !target.hide);
  const frames = targets.map((target) => frame(target, answers[target.refId] || [], targets.length === 1));
  const { columns: asked, rows } = transformed(panel, frames);
  const columns = asked
    .map((column) => ({ ...column, config: configOf(panel, column), isNumber: column.name.startsWith("Value") }))
    .filter(({ config }) => !config.custom.hidden);
  const cells = (row) => columns.map(({ name, shown, config }) => {
    const said = (key) => columns.filter((one) => [one.name, one.shown].includes(key)).map((one) => display(row[one.name], one.config).text)[0];
    const { text, colour, known } = display(row[name], config);
    const kind = (config.custom.cellOptions || {}).type;
    return {
      text,
      known,
      colour: kind === "color-background" || kind === "color-text" ? colour : null,
      isFilled: kind === "color-background",
      isWrapped: Boolean((config.custom.cellOptions || {}).wrapText),
      link: linked(config, { name: shown, labels: row, said, value: row[name] }, context),
    };
  });
  return {
    columns: columns.map(({ shown, isNumber, config }) => ({
      name: shown,
      align: { left: "left", center: "center", right: "right" }[config.custom.align] || (isNumber ? "right" : "left"),
      width: config.custom.width || null,
    })),
    rows: rows.map(cells),
    noValue: panel.fieldConfig.defaults.noValue,
  };
}

export const KINDS = { stat, timeseries, table, "state-timeline": timeline };

// What to show of a panel. `answers` has the `result` of each query by refId; `context` the range, the choices, and of what is drawn
// over time the request and `now`, the results at the end of the range.
export function view(panel, answers, context) {
  return KINDS[panel.type](panel, answers, context);
}

// What has become worse between two views of a stat panel: its values that turned orange, or red, or unknown.
export function worsened(before, after) {
  const badness = ({ known, colour }) => (known ? rank(colour) : 3);
  const isOne = before.values.length === 1 && after.values.length === 1; // whose name may say its state
  const earlier = (value) => before.values.find(({ name }) => isOne || name === value.name || value.name === "");
  return after.values.filter((value) => earlier(value) && badness(value) > badness(earlier(value)));
}
