// Asking Prometheus, and what time it is, through the wall's own server.

const PATIENCE = 10000; // milliseconds until a silent Prometheus counts as lost

// Nobody answers: `isPrometheus` when it is Prometheus and not the page's own server that is silent.
export class Unreachable extends Error {
  constructor(isPrometheus) {
    super("unreachable");
    this.isPrometheus = isPrometheus;
  }
}

let ahead = 0;

// Seconds since 1970 by the server's clock: that of a television may be wrong, and old values would look new.
export function now() {
  return Date.now() / 1000 + ahead;
}

async function fetched(address, options) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const answer = await fetch(address, { ...options, signal: stop.signal });
    const off = Date.parse(answer.headers.get("Date")) / 1000 - now();
    if (Math.abs(off) > 2) ahead += off; // the header is of whole seconds
    if (answer.status >= 500) throw new Unreachable(true);
    return { found: answer.ok, said: await answer.json() };
  } catch (error) {
    if (error.name === "AbortError") throw new Unreachable(true);
    if (error.name === "TypeError") throw new Unreachable(false); // no connection
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

// The result of a query. Errors: Unreachable, or an Error that says why Prometheus refused it.
export async function ask(path, body) {
  const { said } = await fetched(`/api/v1/${path}`, { method: "POST", body: new URLSearchParams(body) });
  if (said.status !== "success") throw new Error(said.error);
  return said.data.result;
}

// A file of the wall's server, or undefined where there is none. Errors: Unreachable.
export async function read(address) {
  const { found, said } = await fetched(address);
  return found ? said : undefined;
}
