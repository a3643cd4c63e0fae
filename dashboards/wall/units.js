// A number and a unit of Grafana's become the text that Grafana shows.

function decimalsFor(value) {
  return value % 1 === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log(Math.abs(value)) / Math.LN10)); // three figures
}

function fixed(value, decimals) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const places = decimals === undefined || decimals === null ? decimalsFor(value) : decimals;
  if (value === 0) return value.toFixed(places);
  const factor = Math.pow(10, places);
  const rounded = String(Math.round(value * factor) / factor);
  if (rounded.includes("e")) return rounded;
  const point = rounded.indexOf(".");
  const present = point === -1 ? 0 : rounded.length - point - 1;
  return present < places ? (present ? rounded : rounded + ".") + "0".repeat(places - present) : rounded;
}

// Each ladder: below `limit` (of the size, in the unit's own measure) divide by `by` and write `word`; `s` ends a plural.
const LADDERS = {
  ms: [[1e3, 1, "ms"], [6e4, 1e3, "s"], [36e5, 6e4, "min", "s"], [864e5, 36e5, "hour", "s"], [31536e6, 864e5, "day", "s"],
    [Infinity, 31536e6, "year", "s"]],
  s: [[1e-6, 1e-9, "ns"], [1e-3, 1e-6, "µs"], [1, 1e-3, "ms"], [60, 1, "s"], [3600, 60, "min", "s"], [86400, 3600, "hour", "s"],
    [604800, 86400, "day", "s"], [31536e3, 604800, "week", "s"], [Infinity, 31556900, "year", "s"]],
  m: [[60, 1, "min"], [1440, 60, "hour", "s"], [10080, 1440, "day", "s"], [604800, 10080, "week", "s"],
    [Infinity, 525948, "year", "s"]],
  h: [[24, 1, "hour"], [168, 24, "day", "s"], [8760, 168, "week", "s"], [Infinity, 8760, "year", "s"]],
};

function laddered(steps, value, decimals) {
  const size = Math.abs(value);
  const [, by, word, plural] = steps.find(([limit]) => size < limit) || steps[steps.length - 1];
  const scaled = by < 1 ? value * Math.round(1 / by) : value / by; // as Grafana rounds
  const ending = plural && Math.abs(scaled) > 1 ? plural : "";
  return `${fixed(scaled, decimals)} ${word}${ending}`;
}

function hoursMinutesSeconds(seconds) {
  if (seconds < 0) return `${hoursMinutesSeconds(-seconds)} ago`;
  const parts = [seconds / 3600, (seconds % 3600) / 60, (seconds % 3600) % 60];
  return parts.map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
}

function short(value, decimals) {
  const words = ["", " K", " Mil", " Bil", " Tri"];
  const step = value === 0 ? 0 : Math.floor(Math.log(Math.abs(value)) / Math.log(1000) + 1e-9);
  const rung = Math.min(Math.max(step, 0), words.length - 1);
  return fixed(value / Math.pow(1000, rung), decimals) + words[rung];
}

const UNITS = {
  none: fixed,
  string: String, // leaves alone what only looks like a number
  short,
  percent: (value, decimals) => `${fixed(value, decimals)}%`,
  percentunit: (value, decimals) => `${fixed(value * 100, decimals)}%`,
  s: (value, decimals) => (value === 0 ? "0 s" : laddered(LADDERS.s, value, decimals)),
  ms: (value, decimals) => laddered(LADDERS.ms, value, decimals),
  m: (value, decimals) => laddered(LADDERS.m, value, decimals),
  h: (value, decimals) => laddered(LADDERS.h, value, decimals),
  dthms: hoursMinutesSeconds,
};

function named(unit) {
  if (!unit) return UNITS.none;
  if (unit.startsWith("suffix:")) {
    const word = unit.slice("suffix:".length);
    return (value, decimals) => fixed(value, decimals) + (word && ` ${word}`);
  }
  return Object.prototype.hasOwnProperty.call(UNITS, unit) ? UNITS[unit] : undefined;
}

export function isUnit(unit) {
  return named(unit) !== undefined;
}

export function format(value, unit, decimals) {
  return named(unit)(value, decimals);
}

// A mark on an axis: as many decimals as it needs and not more.
export function tick(value, unit, decimals) {
  const plain = !unit || ["none", "percent", "percentunit"].includes(unit) || unit.startsWith("suffix:");
  if (!plain || typeof decimals === "number") return format(value, unit, decimals);
  const [, own = ""] = String(Number((unit === "percentunit" ? value * 100 : value).toFixed(6))).split(".");
  return format(value, unit, own.length);
}
