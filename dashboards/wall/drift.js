// What a board asks for that this page does not draw: every part of its JSON is either drawn, said here to make no difference, or reported.

import { isColour } from "./fields.js";
import { isUnit } from "./units.js";
import { isTime } from "./timerange.js";
import { FIELD, question, references } from "./variables.js";

const BUILTINS = ["__range", "__range_s", "__range_ms", "__interval", "__interval_ms", "__rate_interval", "__from", "__to"];
const IN_LINKS = ["__url_time_range", "__field.name", "__value.raw"];

// A check takes a value and its path, and returns what it does not know.
const anything = () => [];
const where = (holds) => (value, path) => (holds(value) ? [] : [`${path} = ${JSON.stringify(value)}`]);
const only = (...values) => where((value) => values.includes(value));
const each = (check) => (list, path) => [].concat(...list.map((value, place) => check(value, `${path}[${place}]`)));
const all = (...checks) => (value, path) => [].concat(...checks.map((check) => check(value, path)));

// `drawn` has a check for each key; the keys of `indifferent` make no difference on this page.
const keys = (drawn, indifferent = []) => (object, path) => [].concat(...Object.keys(object).map((key) => {
  if (indifferent.includes(key) || object[key] === null) return [];
  return Object.prototype.hasOwnProperty.call(drawn, key) ? drawn[key](object[key], `${path}.${key}`) : [`${path}.${key}`];
}));

const colour = where(isColour);
const unit = where(isUnit);
const width = where((value) => Number.isFinite(value));
const duration = where((value) => /^\d+[smhdw]$/.test(value));

const word = keys({ text: anything, color: colour }, ["index"]);
const mapping = (value, path) => {
  const kinds = {
    value: (options) => [].concat(...Object.keys(options).map((key) => word(options[key], `${path}.options.${key}`))),
    range: (options) => keys({ from: anything, to: anything, result: word })(options, `${path}.options`),
    special: (options) => keys({ match: only("null", "nan", "null+nan", "empty"), result: word })(options, `${path}.options`),
  };
  return kinds[value.type] ? kinds[value.type](value.options) : [`${path}.type = ${JSON.stringify(value.type)}`];
};

const thresholds = keys({
  mode: only("absolute"),
  steps: all(each(keys({ color: colour, value: width })), where(([first]) => first && first.value === null)),
});

// Addresses: other boards by their uid, and pages elsewhere; never a script.
const target = where((url) => /^(\/d\/[\w-]+(\?|$)|\$\{wall:raw\}\/runbook\/|https?:\/\/)/.test(url));
const links = (names) => all(
  where((list) => list.length <= 1),
  each(keys({
    title: anything,
    url: all(target, (url, path) => unknown(url, names.concat(IN_LINKS), path)),
  }, ["targetBlank"])),
);

// The references in a text to what is neither a variable of the board nor one of Grafana's that the page knows.
function unknown(text, names, path) {
  const strange = references(text)
    .map((reference) => reference.replace(/:(queryparam|raw|percentencode)$/, ""))
    .filter((name) => !names.includes(name) && !/^\d+$/.test(name) && !(FIELD.test(name) && names.includes("__url_time_range")));
  return strange.map((name) => `${path} refers to $${name}`);
}

const lineStyle = keys({ fill: only("solid", "dash", "dot"), dash: anything });
const CUSTOM = {
  stat: {},
  timeseries: {
    lineWidth: width,
    fillOpacity: width,
    lineStyle,
    lineInterpolation: only("linear", "stepAfter", "stepBefore"),
    spanNulls: only(true, false),
    axisSoftMin: width,
    axisSoftMax: width,
    drawStyle: only("line"),
    gradientMode: only("none"),
    showPoints: only("never", "auto"),
    axisPlacement: only("auto", "left"),
    axisLabel: only(""),
    axisColorMode: only("text"),
    scaleDistribution: keys({ type: only("linear") }),
    stacking: keys({ mode: only("none") }, ["group"]),
    thresholdsStyle: keys({ mode: only("off") }),
    hideFrom: keys({ viz: only(false), legend: anything }, ["tooltip"]),
  },
  table: {
    align: only("auto", "left", "center", "right"),
    width,
    hidden: anything,
    cellOptions: keys({ type: only("auto", "color-background", "color-text"), wrapText: anything }, ["mode"]),
    displayMode: only("auto"),
  },
  "state-timeline": { lineWidth: anything, fillOpacity: anything, hideFrom: keys({ viz: only(false) }, ["legend", "tooltip"]) },
};
// What only acts under a pointer, and what Grafana itself leaves without effect in these kinds.
const IDLE = ["inspect", "filterable", "minWidth", "pointSize", "barAlignment", "barWidthFactor", "insertNulls", "axisBorderShow",
  "axisCenteredZero", "axisGridShow"];

const COLOURS = { stat: ["thresholds", "fixed"], timeseries: ["palette-classic", "fixed"], table: ["thresholds", "fixed"],
  "state-timeline": ["thresholds", "fixed"] };

function field(kind, names) {
  return {
    unit,
    decimals: width,
    noValue: anything,
    min: kind === "timeseries" ? width : anything,
    max: kind === "timeseries" ? width : anything,
    thresholds,
    mappings: each(mapping),
    color: all(keys({ mode: only(...COLOURS[kind]), fixedColor: colour }), where(({ mode, fixedColor }) => mode !== "fixed" || fixedColor)),
    links: links(names),
  };
}

function properties(kind, names) {
  const known = field(kind, names);
  Object.keys(CUSTOM[kind]).forEach((name) => (known[`custom.${name}`] = CUSTOM[kind][name]));
  return each(({ id, value }, path) => {
    if (IDLE.includes(id.replace("custom.", ""))) return [];
    return known[id] ? known[id](value, `${path}.${id}`) : [`${path}.${id}`];
  });
}

const matcher = all(
  where(({ id }) => ["byName", "byFrameRefID", "byRegexp"].includes(id)),
  keys({ id: anything, options: where((value) => typeof value === "string") }),
);

const reduce = keys({ calcs: where((calcs) => calcs.join() === "lastNotNull"), values: only(false), fields: only("") }, ["limit"]);
const legend = keys({
  displayMode: only("list", "hidden"),
  placement: only("bottom"),
  showLegend: anything,
  calcs: where((calcs) => calcs.every((name) => name === "last")),
});
const OPTIONS = {
  stat: keys({
    reduceOptions: reduce,
    textMode: only("value_and_name", "value", "name", "auto"),
    colorMode: only("background", "background_solid", "value", "none"),
    graphMode: only("none"),
    orientation: only("vertical", "horizontal", "auto"),
    showPercentChange: only(false),
    wideLayout: only(false),
  }, ["justifyMode", "percentChangeColorMode", "text"]),
  timeseries: keys({ legend }, ["tooltip", "timezone"]),
  table: keys({
    showHeader: only(true),
    frameIndex: only(0),
    footer: keys({ show: only(false) }, ["countRows", "reducer", "fields", "enablePagination"]),
    enablePagination: only(false),
    showTypeIcons: only(false),
  }, ["cellHeight"]),
  "state-timeline": keys({
    showValue: only("auto", "always", "never"),
    mergeValues: only(true),
    legend: keys({ showLegend: only(false) }, ["displayMode", "placement", "calcs"]),
  }, ["tooltip", "rowHeight", "alignValue", "timezone", "perPage"]),
};

const transformation = (value, path) => {
  const kinds = {
    joinByField: keys({ byField: anything, mode: only("outer") }),
    sortBy: keys({ fields: keys({}), sort: all(where((list) => list.length === 1), each(keys({ field: anything, desc: anything }))) }),
    organize: keys({ excludeByName: anything, indexByName: anything, renameByName: anything, includeByName: keys({}) }),
  };
  return kinds[value.id] ? keys({ id: anything, options: kinds[value.id] })(value, path) : [`${path}.id = ${JSON.stringify(value.id)}`];
};

function query(kind, names) {
  const isTable = kind === "table";
  const isOverTime = kind === "timeseries" || kind === "state-timeline";
  return all(
    where((asked) => isTable || typeof asked.legendFormat === "string"),
    where((asked) => (isOverTime ? asked.range === true && asked.instant !== true : asked.instant === true && asked.range !== true)),
    keys({
      expr: (expr, path) => unknown(expr, names.concat(BUILTINS), path),
      refId: anything,
      range: anything,
      instant: anything,
      hide: anything,
      interval: duration,
      format: isTable ? only("table") : only("time_series"),
      legendFormat: where((text) => text !== "__auto" && text !== ""),
    }, ["datasource", "editorMode"]),
  );
}

// Several queries make one table only where they are joined.
const single = (panel, path) => {
  const isJoined = (panel.transformations || []).some(({ id }) => id === "joinByField");
  return isJoined || panel.targets.filter(({ hide }) => !hide).length === 1 ? [] : [`${path} does not join its queries`];
};

// A time column would want a date format; boards leave it out.
const timeless = (panel, path) => {
  const organize = (panel.transformations || []).find(({ id }) => id === "organize");
  return organize && organize.options.excludeByName && organize.options.excludeByName.Time ? [] : [`${path} shows the column Time`];
};

function panel(names) {
  return (value, path) => {
    const kind = value.type;
    const here = `${path} "${value.title}"`;
    if (!OPTIONS[kind]) return [`${here}.type = ${JSON.stringify(kind)}`];
    const text = (said, place) => unknown(said, names, place);
    const drawn = {
      type: anything,
      title: text,
      description: text,
      gridPos: keys({ x: width, y: width, w: width, h: width }),
      targets: each(query(kind, names)),
      options: OPTIONS[kind],
      fieldConfig: keys({
        defaults: keys({ ...field(kind, names), custom: keys(CUSTOM[kind], IDLE) }),
        overrides: each(keys({ matcher, properties: properties(kind, names) })),
      }),
      transformations: kind === "table" ? each(transformation) : where(() => false),
      transparent: only(false),
      links: links(names),
      interval: duration,
    };
    // `repeatDirection` is nothing without `repeat`; the data source is the one Prometheus.
    const found = keys(drawn, ["id", "datasource", "repeatDirection", "pluginVersion"])(value, here);
    return found.concat(kind === "table" ? timeless(value, here).concat(single(value, here)) : []);
  };
}

const variable = (value, path) => {
  if (value.type === "datasource") return [];
  // Where Grafana finds the wall: the wall is there already.
  if (value.type === "constant" && value.name === "wall") return [];
  if (value.type !== "query") return [`${path}.type = ${JSON.stringify(value.type)}`];
  return keys({
    type: anything,
    name: anything,
    label: anything,
    query: keys({ query: where(() => question(value) !== undefined) }, ["qryType", "refId"]),
    regex: anything,
    sort: only(0, 1),
    includeAll: anything,
    allValue: anything,
    current: anything,
    multi: only(false),
    hide: only(0, 2),
    refresh: only(1, 2),
    skipUrlSync: only(false),
    // `auto…` belongs to interval variables, `options` is what Grafana last found.
  }, ["allowCustomValue", "auto", "auto_count", "auto_min", "datasource", "definition", "description", "options"])(value, path);
};

const dashboardLink = (value, path) => {
  const common = { title: anything, type: only("link", "dashboards"), keepTime: anything, includeVars: anything };
  const own = value.type === "link" ? { url: target } : { tags: anything, url: only("") };
  return keys({ ...common, ...own }, ["icon", "tooltip", "targetBlank", "asDropdown", value.type === "link" ? "tags" : ""])(value, path);
};

// Marks live in Grafana's own store; this page, which has none, draws no board otherwise without them.
const marks = keys({
  datasource: keys({ type: only("grafana"), uid: only("-- Grafana --") }),
  target: keys({ type: only("tags"), tags: anything, limit: anything, matchAny: anything }),
}, ["name", "enable", "hide", "iconColor", "builtIn"]);

// The paths of everything in a board that the page does not draw; empty when it draws it whole.
export function unsupported(dashboard) {
  const names = dashboard.templating.list.map(({ name }) => name);
  return keys({
    uid: anything,
    title: anything,
    tags: anything,
    description: anything,
    links: each(dashboardLink),
    panels: each(panel(names)),
    refresh: duration,
    templating: keys({ list: each(variable) }),
    time: keys({ from: where(isTime), to: where(isTime) }),
    timezone: anything,
    annotations: keys({ list: each(marks) }),
    // The rest is about editing, about a pointer, or about calendars that no query here uses.
  }, ["editable", "fiscalYearStartMonth", "graphTooltip", "schemaVersion", "id", "version", "weekStart", "preload", "liveNow"])(dashboard, "board");
}
