// Keys: each press counts once, and only for the screen on which it began.

import * as screens from "./screens.js";
import { el } from "./dom.js";

const ACTS = new Set(["Enter", " "]);

let pressedOn = null;
let lettersAreOn = true;

// `bindings`: by screen, by key, what to do. A binding returns false to leave the key to the browser.
export function listen(bindings) {
  document.addEventListener("keydown", (event) => onKeyDown(event, bindings), true);
  document.addEventListener("pointerdown", () => (pressedOn = screens.identity()), true);
  document.addEventListener("click", onClick, true);
  for (const kind of ["keyup", "pointerup", "pointercancel"]) {
    // The click that a release causes comes after it.
    document.addEventListener(kind, () => setTimeout(() => (pressedOn = null)), true);
  }
  el("shortcuts").addEventListener("change", (event) => (lettersAreOn = event.target.checked));
}

function onKeyDown(event, bindings) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.repeat) {
    if (!isTyping(event.target) && !isMovement(event.key)) event.preventDefault();
    return;
  }
  pressedOn = screens.identity();
  if (isTyping(event.target) || el("keys").open) return;
  if (!screens.isSettled()) {
    if (!isMovement(event.key)) event.preventDefault();
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key.length === 1 && key !== " " && !lettersAreOn) return;
  if (ACTS.has(key) && ownsItsKeys(event.target)) return;
  const act = bindings[screens.current()]?.[key] ?? bindings.everywhere[key];
  if (act && act(event) !== false) event.preventDefault();
}

// A click whose press began on another screen, or on one that has only just come, is nobody's wish.
function onClick(event) {
  const isElsewhere = pressedOn !== null && pressedOn !== screens.identity();
  if (isElsewhere || (!screens.isSettled() && event.target.closest("main"))) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}

function isTyping(target) {
  return target.matches("textarea, input[type=text], input[type=password]");
}

function isMovement(key) {
  return key === "Tab" || key === "Shift" || key.startsWith("Arrow") || key.startsWith("Page");
}

// Enter and Space on these mean what the browser says they mean.
function ownsItsKeys(target) {
  return target.closest("button, a, summary, select, input") !== null;
}
