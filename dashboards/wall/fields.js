// What a panel says about one of its fields (a series or a column), and how a value of that field then looks.

import { format } from "./units.js";

const HUES = {
  red: ["#FFA6B0", "#FF7383", "#F2495C", "#E02F44", "#C4162A"],
  orange: ["#FFCB7D", "#FFB357", "#FF9830", "#FF780A", "#FA6400"],
  yellow: ["#FFF899", "#FFEE52", "#FADE2A", "#F2CC0C", "#E0B400"],
  green: ["#C8F2C2", "#96D98D", "#73BF69", "#56A64B", "#37872D"],
  blue: ["#C0D8FF", "#8AB8FF", "#5794F2", "#3274D9", "#1F60C4"],
  purple: ["#DEB6F2", "#CA95E5", "#B877D9", "#A352CC", "#8F3BB8"],
};
const SHADES = ["super-light-", "light-", "", "semi-dark-", "dark-"];
const NAMED = { transparent: "rgba(0,0,0,0)", text: "#ccccdc", white: "#ffffff", black: "#000000", gray: "#808080" };
Object.keys(HUES).forEach((hue) => SHADES.forEach((shade, place) => (NAMED[shade + hue] = HUES[hue][place])));

// The beginning of Grafana's classic palette: a panel with more lines than this begins again.
const PALETTE = ["green", "semi-dark-yellow", "blue", "orange", "red", "purple", "dark-green", "dark-yellow", "dark-blue",
  "dark-orange", "dark-red", "dark-purple"];

export function isColour(name) {
  return name in NAMED || /^#[0-9a-f]{6}$/i.test(name);
}

export function hex(name) {
  return NAMED[name] || name;
}

export function palette(position) {
  return PALETTE[position % PALETTE.length];
}

// How bad a colour is: what worsens is announced.
export function rank(name) {
  return /red$/.test(name) ? 2 : /(orange|yellow)$/.test(name) ? 1 : 0;
}

// Black or white, whichever is the easier to read on a colour (WCAG relative luminance).
export function ink(name) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(hex(name).slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.24 ? "#101216" : "#ffffff";
}

export function pattern(text) {
  const [, body, flags] = /^\/(.*)\/([a-z]*)$/.exec(text) || [null, text, ""];
  return new RegExp(body, flags);
}

function matches(matcher, field) {
  const names = [field.name, field.shown];
  if (matcher.id === "byName") return names.includes(matcher.options);
  if (matcher.id === "byRegexp") return names.some((name) => name !== undefined && pattern(matcher.options).test(name));
  return field.refId === matcher.options; // byFrameRefID
}

// `field` has a name, the name it is shown under where that differs, and the refId of its query where it has one only.
export function configOf(panel, field) {
  const { defaults, overrides } = panel.fieldConfig;
  const config = Object.assign({}, defaults, { custom: Object.assign({}, defaults.custom) });
  overrides.filter((override) => matches(override.matcher, field)).forEach((override) => {
    override.properties.forEach(({ id, value }) => {
      if (id.startsWith("custom.")) config.custom[id.slice("custom.".length)] = value;
      else config[id] = value;
    });
  });
  return config;
}

function special(match, value) {
  const nothing = value === null || value === undefined;
  const nan = typeof value === "number" && isNaN(value);
  return { null: nothing, nan, "null+nan": nothing || nan, empty: value === "" }[match];
}

function mapped(mappings, value) {
  const unknown = value === null || value === undefined;
  for (const { type, options } of mappings || []) {
    if (type === "value" && !unknown && options[value]) return options[value];
    if (type === "special" && special(options.match, value)) return options.result;
    if (type === "range" && !unknown && !isNaN(parseFloat(value))) {
      const { from = null, to = null, result } = options;
      if ((from === null || value >= from) && (to === null || value <= to)) return result;
    }
  }
  return {};
}

// The colour of the last threshold reached; the first has no value and is the colour of what is not known.
export function reached(thresholds, value) {
  const { steps } = thresholds || { steps: [{ value: null, color: "green" }, { value: 80, color: "red" }] };
  const passed = steps.filter((step, place) => place === 0 || value >= step.value);
  return passed[passed.length - 1].color;
}

// The number that Grafana takes a value for: of a text that reads like one too, unless its unit is `string`.
function numberOf(value, unit) {
  if (typeof value === "number") return value;
  return typeof value !== "string" || unit === "string" || value.trim() === "" ? NaN : Number(value);
}

// A number, a text or nothing, as text and colour. NaN, which is 0/0 in Prometheus, is nothing known.
export function display(value, config) {
  const number = numberOf(value, config.unit);
  const word = mapped(config.mappings, value);
  let text = word.text;
  if (text === undefined) text = isNaN(number) ? (typeof value === "string" ? value : "") : format(number, config.unit, config.decimals);
  const fixed = config.color && config.color.mode === "fixed" && config.color.fixedColor;
  return {
    text: text === "" ? config.noValue || "" : text,
    colour: word.color || fixed || reached(config.thresholds, isNaN(number) ? -Infinity : number),
    known: !isNaN(number) || (typeof value === "string" && value !== ""),
  };
}
