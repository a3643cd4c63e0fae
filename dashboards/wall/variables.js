// The board's variables: what can be chosen, and what stands in a query, a title or a link in their place.

import { pattern } from "./fields.js";

const REFERENCE = /\$(\w+)|\$\{([^}]+)\}/g;
export const ALL = "$__all";
const LABEL_VALUES = /^label_values\((.+),\s*(\w+)\)$/;
export const FIELD = /^(__field\.labels|__data\.fields)(?:\.|\["?)([^"\]]+)/;
const QUERY_RESULT = /^query_result\((.+)\)$/;

// The names that a text refers to, without formats and what follows a dot.
export function references(text) {
  const found = [];
  text.replace(REFERENCE, (whole, plain, braced) => found.push(plain || braced));
  return found;
}

// Each reference becomes what `say(name, format)` gives; what it does not know stays as it is.
export function fill(text, say) {
  return text.replace(REFERENCE, (whole, plain, braced) => {
    const [, name, format] = /^(.*?)(?::(\w+))?$/.exec(plain || braced);
    const said = say(name, format);
    return said === undefined ? whole : said;
  });
}

// The instant query whose answer holds the options of a query variable; undefined for a form that is not known.
export function question(variable) {
  const text = variable.query.query;
  const result = QUERY_RESULT.exec(text);
  if (result) return result[1];
  const values = LABEL_VALUES.exec(text);
  return values ? `group by (${values[2]}) (${values[1]})` : undefined;
}

function line({ metric, value }) {
  const { __name__: name = "", ...labels } = metric;
  const pairs = Object.keys(labels).map((key) => `${key}="${labels[key]}"`);
  return `${name}{${pairs.join(",")}} ${value[1]} ${value[0] * 1000}`;
}

function option(text, regex, zone) {
  const found = regex ? regex.exec(text) : [text];
  if (!found) return [];
  const whole = found[found.length > 1 ? 1 : 0];
  const { value, text: shown } = found.groups || { value: whole };
  return [{ value: value || shown, text: shown || value, zone }];
}

// The options of a query variable from the answer to its question, with the time zone of those that have one, and "all" where the
// board offers it.
export function optionsOf(variable, answer, all) {
  const values = LABEL_VALUES.exec(variable.query.query);
  const series = values ? answer.filter(({ metric }) => metric[values[2]]) : answer;
  const regex = variable.regex ? pattern(variable.regex) : null;
  const found = [].concat(...series.map((one) => option(values ? one.metric[values[2]] : line(one), regex, one.metric.tz)));
  const own = found.filter(({ value }, place) => found.findIndex((other) => other.value === value) === place);
  if (variable.sort === 1) own.sort((one, other) => (one.text < other.text ? -1 : one.text > other.text ? 1 : 0));
  return variable.includeAll ? [{ value: ALL, text: all }].concat(own) : own;
}

// What is chosen: what was asked for, else what the board says if it can be, else the first.
export function choose(variable, options, asked) {
  if (asked) return asked;
  const current = variable.current && variable.current.value;
  const wanted = [].concat(current).find((value) => options.some((one) => one.value === value));
  return wanted === undefined ? options.length && options[0].value : wanted;
}

// The options with what was asked for: nothing takes its place where it is not among them, and `unknown` is said of it.
export function offered(options, asked, unknown) {
  if (!asked || options.some((one) => one.value === asked)) return options;
  return options.concat({ value: asked, text: `${asked} – ${unknown}` });
}

const escaped = (text) => text.replace(/[\\^$*+?.()|[\]{}]/g, "\\$&").replace(/\\/g, "\\\\");

// A variable as it stands in PromQL. `chosen` has for each name its value, its text and its options.
export function inQuery({ variable, value, options }) {
  if (value !== ALL) return variable.includeAll ? escaped(value) : value.replace(/\\/g, "\\\\").replace(/"/g, '\\"');
  if (variable.allValue) return variable.allValue;
  return `(${options.filter((one) => one.value !== ALL).map((one) => escaped(one.value)).join("|")})`;
}

const parameter = (name, value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;

// The address of a link. `chosen` as above, `range` from timerange.js, `here` knows what belongs to the value clicked on.
export function address(url, chosen, range, here) {
  return fill(url, (name, format) => {
    if (name === "__url_time_range") return `${parameter("from", range.time.from)}&${parameter("to", range.time.to)}`;
    if (name in chosen && format === "queryparam") return parameter(`var-${name}`, chosen[name].value);
    if (name === "wall") return "";
    if (name in chosen) return encodeURIComponent(chosen[name].value);
    const [, path, key] = FIELD.exec(name) || [];
    if (path === "__data.fields") return encodeURIComponent(here.said(key));
    if (path !== undefined) return encodeURIComponent(here.labels[key] || "");
    return { "__field.name": here.name, "__value.raw": String(here.value) }[name];
  });
}

// The address of another board under the same name, with the time and the choices of this one where the link keeps them.
export function boardAddress(link, chosen, range) {
  const kept = link.keepTime ? [parameter("from", range.time.from), parameter("to", range.time.to)] : [];
  const names = link.includeVars ? Object.keys(chosen) : [];
  const query = kept.concat(names.map((name) => parameter(`var-${name}`, chosen[name].value))).join("&");
  return query ? `${link.url}${link.url.includes("?") ? "&" : "?"}${query}` : link.url;
}
