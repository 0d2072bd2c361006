// Requests to the server; every refusal becomes a Refused with the server's word for it.

// No answer is not a no: the server may have done it all the same.
const UNREACHABLE = "The server did not answer. It is not certain that this was recorded.";
const FAILED = "The server failed. It is not certain that this was recorded.";
const UNCERTAIN = new Set(["unreachable", "unavailable", "failed"]);

export class Refused extends Error {
  constructor(word, text) {
    super(text);
    this.word = word;
    this.isUncertain = UNCERTAIN.has(word);
  }
}

// A request that takes longer has failed as far as a person at the screen is concerned.
const DEADLINE_MS = 10_000;

let csrf = "";
let onSessionEnd = () => {};

export function whenSessionEnds(callback) {
  onSessionEnd = callback;
}

export async function whoAmI() {
  const me = await (await send("/api/me", {})).json();
  csrf = me.csrf;
  return me;
}

export async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json", "X-Signpost-Token": csrf };
  return (await send(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

export async function get(path) {
  return (await send(path, {})).json();
}

// The address is good once.
export async function picture(address, signal) {
  return (await send(address, { signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]) })).blob();
}

export function ofCase(id, what = "") {
  return `/api/cases/${encodeURIComponent(id)}${what && "/" + what}`;
}

async function send(path, options) {
  let response;
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(DEADLINE_MS), cache: "no-store", ...options });
  } catch {
    throw new Refused("unreachable", UNREACHABLE);
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  if (response.status === 401) onSessionEnd();
  throw new Refused(said.refused ?? "failed", said.text ?? FAILED);
}
