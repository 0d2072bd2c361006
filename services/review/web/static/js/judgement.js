// The form of one judgement: an answer, what it was judged by, and the button that records it.

import { el } from "./dom.js";

const KEYS = { m: "match", n: "not_a_match", c: "cannot_tell", l: "not_a_live_face", k: "knows_person" };
const NAMES = {
  match: "match",
  not_a_match: "not a match",
  cannot_tell: "cannot tell",
  not_a_live_face: "not a live face",
};
// These say something about two faces: by which features has to be said too.
const COMPARES = new Set(["match", "not_a_match"]);

export class Judgement {
  constructor(record) {
    this.form = el("judge");
    this.isOn = false;
    this.form.addEventListener("change", () => this.#refresh());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#missing() === "" && this.isOn) record(this.#given());
    });
    this.#refresh();
  }

  static get keys() {
    return Object.keys(KEYS);
  }

  nameOf(answer) {
    return NAMES[answer];
  }

  reset() {
    this.form.reset();
    this.#refresh();
  }

  enable(isOn) {
    this.isOn = isOn;
    this.#refresh();
  }

  // Nothing at all can be done with the case while the connection is lost.
  freeze(isFrozen) {
    el("put-back").disabled = el("keep").disabled = isFrozen;
    if (isFrozen) this.enable(false);
  }

  say(text) {
    el("judge-hint").textContent = text;
  }

  choose(key) {
    if (!this.isOn) return;
    const radio = this.form.querySelector(`[value=${KEYS[key]}]`);
    radio.checked = true;
    radio.focus();
    this.#refresh();
  }

  record() {
    if (this.isOn && this.#missing() === "") this.form.requestSubmit();
  }

  toFeatures() {
    el("reasons").querySelector("input").focus();
  }

  // Up and down among the features; elsewhere the browser's own way.
  move(step) {
    const boxes = [...el("reasons").querySelectorAll("input")];
    const at = boxes.indexOf(document.activeElement);
    if (at < 0) return false;
    boxes[Math.max(0, Math.min(boxes.length - 1, at + step))].focus();
    return true;
  }

  #given() {
    const fields = new FormData(this.form);
    return { answer: fields.get("answer"), features: fields.getAll("feature") };
  }

  #missing() {
    const { answer, features } = this.#given();
    if (!answer) return "Choose an answer.";
    if (COMPARES.has(answer) && !features.length) return "Tick what you judged by.";
    return "";
  }

  #refresh() {
    const { answer } = this.#given();
    const missing = this.#missing();
    el("answers").disabled = el("reasons").disabled = !this.isOn;
    el("record").disabled = !this.isOn || missing !== "";
    el("record-text").textContent = textOf(answer);
    if (this.isOn) this.say(missing);
  }
}

function textOf(answer) {
  if (answer === "knows_person") return "Hand the case on";
  return answer ? `Record: ${NAMES[answer]}` : "Record";
}
