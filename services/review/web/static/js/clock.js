// The server's time: this machine's clock may be wrong, so only the time since the server last spoke is ours.

let base = null;

export function sync(serverMs) {
  base = { serverMs, at: performance.now() };
}

export function now() {
  return base === null ? Date.now() : base.serverMs + (performance.now() - base.at);
}

// "4:07", never below "0:00".
export function left(untilMs) {
  const seconds = Math.max(0, Math.ceil((untilMs - now()) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const MOMENT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const SHORT_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function timeOf(ms) {
  return TIME.format(ms);
}

export function dayOf(ms) {
  return SHORT_DAY.format(ms);
}

// Short enough to stand under a small picture.
export function moment(ms) {
  return `${MOMENT.format(ms)}, ${TIME.format(ms)}`;
}

export function dateAndTime(ms) {
  return `${DAY.format(ms)}, ${TIME.format(ms)}`;
}

// An ISO date of the list, as a date of no time zone.
export function dateOf(iso) {
  const [year, month, day] = iso.split("-").map(Number);
  return year && month && day ? DAY.format(new Date(year, month - 1, day)) : "";
}
