// Which alerts have begun since the page last looked, so that each is heard once.

const REMEMBERED = 600; // seconds: what comes back sooner is the same alert, and what was kept for longer says nothing of now
const BLIND = "blind";

// The query for what fires that the people in the room see to, or that somebody is woken for: of a centre and of the monitor itself,
// or of all centres. `city` stands as in a query.
export function alarming(city) {
  const here = city === undefined ? "" : `,city=~"${city}|"`;
  return `ALERTS{alertstate="firing",severity=~"page|wall"${here}}`;
}

// An alert as it is remembered: what tells it from others.
export function nameOf({ __name__: unused, alertstate, ...labels }) {
  return JSON.stringify(Object.keys(labels).sort().map((key) => [key, labels[key]]));
}

// What is remembered and which of them are new. `memory` is what the last call gave back, or null; `firing` has the names of what
// fires at `now`, by the query `scope`, or is null when nobody answers: then what fired still does, as far as anybody knows. The
// first look finds nothing new.
export function heard(memory, firing, now, scope) {
  const known = memory && now - memory.at <= REMEMBERED && (firing === null || memory.scope === scope) ? memory : null;
  if (!known && !firing) return { memory: null, begun: [] };
  const before = {};
  if (known) Object.keys(known.seen).filter((name) => now - known.seen[name] <= REMEMBERED).forEach((name) => (before[name] = known.seen[name]));
  const current = firing || Object.keys(before).filter((name) => before[name] === known.at).concat(BLIND);
  const begun = known ? current.filter((name) => !(name in before)) : [];
  const seen = before;
  current.forEach((name) => (seen[name] = now));
  return { memory: { at: now, scope: firing ? scope : known.scope, seen }, begun };
}

// What the board calls an alert that was remembered under a name; nothing for what has no name of its own.
export function called(board, name) {
  if (name === BLIND) return [];
  const { alertname } = Object.assign({}, ...JSON.parse(name).map(([key, value]) => ({ [key]: value })));
  const overrides = [].concat(...board.panels.map(({ fieldConfig }) => fieldConfig.overrides));
  const properties = [].concat(...overrides.map((override) => override.properties)).filter(({ id }) => id === "mappings");
  const words = [].concat(...properties.map(({ value }) => value)).filter(({ type, options }) => type === "value" && options[alertname]);
  return [words.length ? words[0].options[alertname].text : alertname];
}
