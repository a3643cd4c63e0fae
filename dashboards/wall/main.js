// The page: reads the board of its address, asks Prometheus as often as the board says, and says so when nobody answers.

import { alarming, called, heard, nameOf } from "./alarms.js";
import { Bell } from "./bell.js";
import { Chart } from "./chart.js";
import { DRAWN, element, fitStat, fitTable, replace } from "./draw.js";
import { unsupported } from "./drift.js";
import { requests, view, worsened } from "./panels.js";
import { Unreachable, ask, now, read } from "./prometheus.js";
import { between, duration } from "./timerange.js";
import { boardAddress, choose, fill, inQuery, offered, optionsOf, question } from "./variables.js";
import { languageOf, wordsIn } from "./words.js";

const FIRST = "psap-calls-id";
const MINUTES = { hour: "2-digit", minute: "2-digit" };
const SECONDS = { ...MINUTES, second: "2-digit" };
const DAY = { ...MINUTES, day: "2-digit", month: "2-digit" };
const byId = (id) => document.getElementById(id);
const parameters = new URLSearchParams(location.search);

let boards;
let board;
let words;
let bell;
let chosen = {};
let panels = [];
let opened;
let answered = null; // when the last whole round of answers was asked for
let isBusy = false;
let isBlind = false;
let isCut = false; // from the page's own server

// The chosen centre's own time zone, else the board's.
function zone() {
  const own = Object.keys(chosen).map((name) => chosen[name].zone).filter((name) => name !== undefined);
  if (own.length) return own[0];
  return ["", "browser"].includes(board.timezone) ? undefined : { utc: "UTC" }[board.timezone] || board.timezone;
}

function clock(seconds, parts = MINUTES) {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone(), hour12: false, ...parts }).format(new Date(seconds * 1000));
}

// WIB, WITA or WIT; other zones by their distance from Greenwich.
function zoneName() {
  const parts = new Intl.DateTimeFormat("id", { timeZone: zone(), timeZoneName: "short" }).formatToParts(new Date());
  return parts.find(({ type }) => type === "timeZoneName").value;
}

// The beginning of the local day of a moment.
function midnight(seconds) {
  const [hours, minutes, rest] = clock(seconds, SECONDS).split(":").map(Number);
  return Math.floor(seconds) - (hours % 24) * 3600 - minutes * 60 - rest;
}

function range() {
  const asked = { from: parameters.get("from") || board.time.from, to: parameters.get("to") || board.time.to };
  return between(asked, now(), midnight);
}

function timeOf(range) {
  return (seconds) => clock(seconds, range.to - range.from > 90000 ? DAY : MINUTES);
}

function select(variable, options, value) {
  const id = `variable-${variable.name}`;
  const form = byId("variables");
  const list = byId(id) || element("select", { id });
  if (!list.parentNode && variable.hide !== 2) {
    list.addEventListener("change", () => {
      parameters.set(`var-${variable.name}`, list.value);
      history.replaceState(null, "", `${location.pathname}?${parameters}`);
      panels.forEach((panel) => (panel.view = null));
      refresh();
    });
    form.append(element("label", { htmlFor: id }, variable.label || variable.name), list);
  }
  const entries = JSON.stringify(options);
  if (list.dataset.options !== entries) replace(list, ...options.map(({ value, text }) => element("option", { value }, text)));
  list.dataset.options = entries;
  list.value = value;
}

async function resolve(at) {
  const found = {};
  for (const variable of board.templating.list.filter(({ type }) => type === "query")) {
    const query = fill(question(variable), (name) => (found[name] ? inQuery(found[name]) : undefined));
    const known = optionsOf(variable, await ask("query", { query, time: at }), words.all);
    const options = offered(known, parameters.get(`var-${variable.name}`), words.unknown);
    const value = choose(variable, options, parameters.get(`var-${variable.name}`));
    const { text = "", zone: own } = options.find((one) => one.value === value) || {};
    found[variable.name] = { variable, options, value: value || "", text, zone: own };
    select(variable, options, value);
  }
  return found;
}

const siblings = () => boards.filter(({ tags }) => languageOf(tags) === languageOf(board.tags));

function addressOf({ uid }) {
  return boardAddress({ url: `/d/${uid}`, keepTime: parameters.has("from"), includeVars: true }, chosen, range());
}

// The board's own links, and the other boards of its language; drawn anew when what they keep has changed.
function link() {
  const made = board.links
    .filter(({ type }) => type === "link")
    .map((one) => element("a", { href: boardAddress(one, chosen, range()) }, one.title));
  if (siblings().length > 1) {
    const items = siblings().map((other) => {
      const anchor = element("a", { href: addressOf(other) }, other.title);
      if (other.uid === board.uid) anchor.setAttribute("aria-current", "page");
      return element("li", {}, anchor);
    });
    made.unshift(element("details", {}, element("summary", {}, words.boards), element("ul", {}, ...items)));
  }
  const nav = byId("links");
  const kept = String(parameters) + Object.keys(chosen).map((name) => chosen[name].value);
  if (nav.dataset.kept !== kept) replace(nav, ...made);
  nav.dataset.kept = kept;
}

// With `rotate=30` in the address the next board of the language comes after 30 seconds; a blind page stays.
function turn() {
  const next = siblings()[(siblings().findIndex(({ uid }) => uid === board.uid) + 1) % siblings().length];
  const address = addressOf(next);
  if (!isBlind) location.assign(`${address}${address.includes("?") ? "&" : "?"}rotate=${parameters.get("rotate")}`);
}

function titled(text) {
  return fill(text, (name) => (chosen[name] ? chosen[name].text : undefined));
}

function build() {
  document.documentElement.lang = languageOf(board.tags);
  document.title = board.title;
  byId("title").textContent = board.title;
  const ordered = board.panels.slice().sort((one, other) => one.gridPos.y - other.gridPos.y || one.gridPos.x - other.gridPos.x);
  panels = ordered.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const heading = element("h2", { id: `panel-${panel.id}`, title: panel.description || "" }, panel.title);
    const about = element("p", { className: "unseen" }, panel.description || "");
    const body = element("div", { className: "body" });
    const section = element("section", { className: `panel ${panel.type}`, "aria-labelledby": heading.id }, heading, about, body);
    section.style.gridColumn = `${x + 1} / span ${w}`;
    section.style.gridRow = `${y + 1} / span ${h}`;
    byId("board").append(section);
    return { panel, heading, section, body, view: null, chart: null };
  });
  const rows = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  byId("board").style.setProperty("--rows", rows);
  byId("board").classList.toggle("tall", rows > 30);
  if (rows > 30) byId("board").tabIndex = 0; // scrolled by keys
}

function draw(shown, next, context) {
  const { panel, body } = shown;
  const announced = shown.view && panel.type === "stat" ? worsened(shown.view, next) : [];
  const isSame = JSON.stringify(shown.view) === JSON.stringify(next);
  shown.view = next;
  shown.section.classList.remove("failed");
  if (panel.type === "timeseries") {
    shown.chart = shown.chart || new Chart(body, words);
    shown.chart.show(next, timeOf(context.range), zone());
  } else if (!isSame) {
    DRAWN[panel.type](body, next, panel, timeOf(context.range));
  }
  return announced.map(({ name, text }) => `${words.worse}: ${titled(panel.title)}, ${name} ${text}`);
}

function fail(shown, error) {
  if (shown.chart) shown.chart.remove();
  shown.view = null;
  shown.section.classList.add("failed");
  replace(shown.body, element("p", { className: "nothing" }, reason(error)));
}

function reason(error) {
  if (error instanceof Unreachable) return error.isPrometheus ? words.prometheus : words.page;
  return `${words.failed}: ${error.message}`;
}

// One query of several panels is asked once in a round.
function asker() {
  const asked = new Map();
  return ({ path, body }) => {
    const key = path + JSON.stringify(body);
    if (!asked.has(key)) asked.set(key, ask(path, body));
    return asked.get(key);
  };
}

async function answer(shown, period, once) {
  const points = Math.max(50, shown.body.clientWidth || 300);
  const asked = requests(shown.panel, period, points, chosen);
  const results = await Promise.all(asked.map(once));
  const isOverTime = asked[0].path === "query_range";
  const answers = {};
  const at = {};
  asked.forEach(({ refId, path }, place) => ((isOverTime && path === "query" ? at : answers)[refId] = results[place]));
  return view(shown.panel, answers, { range: period, chosen, request: asked[0], now: at });
}

async function refresh() {
  if (isBusy) return;
  isBusy = true;
  try {
    const at = now();
    const asked = String(parameters);
    chosen = await resolve(range().to);
    const period = range(); // by the clock of what is chosen
    const once = asker();
    const scope = alarming(chosen.city && inQuery(chosen.city));
    const firing = once({ path: "query", body: { query: scope, time: at } }).catch(() => null);
    const views = await Promise.all(panels.map((shown) => answer(shown, period, once).catch((error) => error)));
    if (views.every((next) => next instanceof Unreachable)) throw views[0];
    if (String(parameters) !== asked) return setTimeout(refresh); // another choice was made meanwhile
    const announced = [].concat(...views.map((next, place) => {
      panels[place].heading.textContent = titled(panels[place].panel.title);
      return next instanceof Error ? (fail(panels[place], next), []) : draw(panels[place], next, { range: period });
    }));
    link();
    const loud = await firing;
    if (loud) announced.unshift(...listen(loud.map(({ metric }) => nameOf(metric)), at, scope));
    if (isBlind) announced.unshift(words.back);
    if (announced.length) byId("changes").textContent = announced.join(". ");
    if (isCut) location.reload(); // the server that is there again may have newer boards
    see(at);
  } catch (error) {
    isCut = error instanceof Unreachable && !error.isPrometheus;
    lose(reason(error));
  } finally {
    isBusy = false;
  }
}

// One sound for whatever has begun since the last look, also for blindness; what there is to announce of it. The memory outlives
// the page, which turns to the next board or is loaded anew.
function listen(firing, at, scope) {
  const { memory, begun } = heard(JSON.parse(sessionStorage.getItem("heard")), firing, at, scope);
  sessionStorage.setItem("heard", JSON.stringify(memory));
  if (begun.length) bell.ring();
  return [].concat(...begun.map((name) => called(board, name))).map((name) => `${words.begun}: ${name}`);
}

function see(at) {
  answered = at;
  if (isBlind) {
    document.body.classList.remove("blind");
    byId("blind").hidden = true;
    fit();
  }
  isBlind = false;
  byId("freshness").textContent = `${words.updated} ${clock(at, SECONDS)}`;
}

function lose(why) {
  const at = answered || opened;
  const since = clock(at, now() - at > 43200 ? DAY : MINUTES);
  const said = words.blind(since, why);
  listen(null, now());
  document.body.classList.add("blind");
  panels.forEach(({ section }) => (section.dataset.old = answered ? words.old(since) : ""));
  const banner = byId("blind");
  banner.hidden = false;
  if (banner.textContent !== said) banner.textContent = said;
  byId("freshness").textContent = "";
  if (!isBlind) fit(); // the banner takes its place
  isBlind = true;
}

function fit() {
  panels.filter(({ view: shown }) => shown).forEach(({ panel, body, view: shown, chart }) => {
    if (panel.type === "stat") fitStat(body);
    if (panel.type === "table" && shown.rows.length) fitTable(body);
    if (chart) chart.show(shown);
  });
}

async function begin() {
  boards = await read("/boards.json");
  opened = now(); // by the server's clock, which is known from here on
  const uid = /^\/d\/([\w-]+)/.exec(location.pathname);
  byId("blind").hidden = true;
  board = await read(`/boards/${uid ? uid[1] : FIRST}.json`);
  if (!board) return replace(byId("board"), element("p", {}, wordsIn("id").missing));
  words = wordsIn(languageOf(board.tags));
  const strange = unsupported(board);
  if (strange.length) return replace(byId("board"), element("p", {}, words.unsupported), element("pre", {}, strange.join("\n")));
  build();
  bell = new Bell(byId("sound"), words.sound);
  byId("freshness").textContent = words.loading;
  const every = duration(board.refresh || "5s");
  const tick = () => {
    byId("clock").textContent = `${clock(now(), SECONDS)} ${zoneName()}`;
    // A round that hangs, or a machine that slept.
    if (!isBlind && now() - (answered || opened) > 3 * every + 10) lose(words.page);
  };
  tick();
  setInterval(tick, 1000);
  setInterval(refresh, every * 1000);
  if (Number(parameters.get("rotate")) >= every) setInterval(turn, parameters.get("rotate") * 1000);
  addEventListener("resize", fit);
  await refresh();
}

// The monitor may not be up yet when the television is.
function start() {
  begin().catch((error) => {
    byId("blind").textContent = `${wordsIn("id").page} / ${wordsIn("en").page} (${error.message})`;
    byId("blind").hidden = false;
    setTimeout(start, 5000);
  });
}

start();
