// Which screen is shown. A key or a button acts on the screen that was there when it was pressed, or not at all.

import { el } from "./dom.js";

// From here on a person has had the time to see that the screen changed.
const SETTLE_MS = 350;
const SCREENS = ["queue", "case", "done", "form", "ended"];

let shown = "starting";
let subject = "";
let settleTimer = null;

// `about` tells two screens of one kind apart: the case and its claim.
export function show(screen, about = "") {
  shown = screen;
  subject = about;
  for (const one of SCREENS) el(`${one}-screen`).hidden = one !== screen;
  document.body.dataset.screen = screen;
  document.body.dataset.settled = "no";
  clearTimeout(settleTimer);
  settleTimer = setTimeout(() => (document.body.dataset.settled = "yes"), SETTLE_MS);
  el(`${screen}-title`).focus();
  window.scrollTo(0, 0);
}

export function current() {
  return shown;
}

export function isSettled() {
  return document.body.dataset.settled === "yes";
}

// Names the screen with what is on it.
export function identity() {
  return `${shown} ${subject}`;
}
