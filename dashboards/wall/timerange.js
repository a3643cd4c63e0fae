// From and to as the board or the address says them, and the step of a query over that range.

const SECONDS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
const SCRAPE = 5; // seconds, as in dashboards/prometheus.yml: no line has more points than there are scrapes
const STEPS = [5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
const RELATIVE = /^now(?:-(\d+)([smhdw]))?(\/d)?$/;

export function isTime(text) {
  return RELATIVE.test(text);
}

// Seconds of a moment such as now-3h, now/d or milliseconds since 1970. `midnight` gives the beginning of a moment's local day.
function moment(text, now, midnight, isEnd) {
  const found = RELATIVE.exec(text);
  if (!found) return Number(text) / 1000;
  const [, count, unit, day] = found;
  const at = now - (count ? Number(count) * SECONDS[unit] : 0);
  if (!day) return at;
  return isEnd ? midnight(midnight(at) + 1.25 * SECONDS.d) - 0.001 : midnight(at); // a day has 23 to 25 hours
}

export function between(time, now, midnight) {
  return { from: moment(time.from, now, midnight, false), to: moment(time.to, now, midnight, true), time };
}

export function duration(text) {
  const [, count, unit] = /^(\d+)([smhdw])$/.exec(text);
  return Number(count) * SECONDS[unit];
}

// The step in seconds of a line that is so many points wide.
export function stepOf(range, points) {
  const finest = (range.to - range.from) / points;
  return STEPS.find((step) => step >= finest) || Math.ceil(finest / SECONDS.d) * SECONDS.d;
}

// Grafana's own variables, for a range and the step of a query.
export function builtins(range, step) {
  const length = Math.round(range.to - range.from);
  return {
    __range: `${length}s`,
    __range_s: String(length),
    __range_ms: String(length * 1000),
    __interval: `${step}s`,
    __interval_ms: String(step * 1000),
    __rate_interval: `${Math.max(step + SCRAPE, 4 * SCRAPE)}s`,
    __from: String(Math.round(range.from * 1000)),
    __to: String(Math.round(range.to * 1000)),
  };
}
