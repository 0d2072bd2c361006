// The queue: one row a case, in the order they were opened. Rows keep their element, so focus stays where it is.

import { dayOf, left, timeOf } from "./clock.js";
import { el, make } from "./dom.js";

// A case that has ended stays in its place for a moment, so that no other one slips under a finger.
const OVER_MS = 4_000;
const STATES = {
  agreed_match: "Agreed match",
  no_action: "No action",
  expired: "Time was up: no action",
};

export class Queue {
  // `deeds`: what a person of these roles can do with a case, by role: {label, can(line), act(line)}.
  // `waiting`: what stands where this person can do nothing with an open case.
  constructor(deeds, { keepsEnded, waiting }) {
    this.deeds = deeds;
    this.keepsEnded = keepsEnded;
    this.waitingText = waiting;
    this.rows = new Map();
  }

  // A new connection tells everything again.
  startAgain() {
    this.untold = new Set(this.rows.keys());
    setTimeout(() => this.#forgetUntold(), 1_000);
  }

  clear() {
    for (const row of this.rows.values()) row.item.remove();
    this.rows.clear();
    this.#count();
  }

  put(line) {
    this.untold?.delete(line.case);
    const row = this.rows.get(line.case) ?? this.#newRow(line);
    clearTimeout(row.leaving);
    row.line = line;
    this.#fill(row);
    if (line.state !== "open" && !this.keepsEnded(line)) {
      row.leaving = setTimeout(() => this.#drop(line.case), OVER_MS);
    }
    this.#count();
  }

  line(id) {
    return this.rows.get(id)?.line;
  }

  enable(isOn) {
    for (const button of el("queue").querySelectorAll("button")) button.disabled = !isOn;
    this.isOff = !isOn;
  }

  tick() {
    for (const { line, left: time } of this.rows.values()) {
      const text = timeText(line);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  move(step) {
    const buttons = [...el("queue").querySelectorAll("button:not(:disabled)")];
    const at = buttons.indexOf(document.activeElement);
    const to = at < 0 ? (step > 0 ? 0 : buttons.length - 1) : at + step;
    buttons[Math.max(0, Math.min(buttons.length - 1, to))]?.focus();
  }

  #newRow(line) {
    const row = { line, item: make("li"), left: make("span"), buttons: new Map() };
    row.item.dataset.case = line.case;
    row.parts = Object.fromEntries(["camera", "seen", "alerts", "does"].map((name) => [name, make("div", { className: name })]));
    row.state = make("small");
    const time = make("div", { className: "left" }, row.left, row.state);
    row.item.append(row.parts.camera, row.parts.seen, row.parts.alerts, time, row.parts.does);
    this.rows.set(line.case, row);
    const after = [...this.rows.values()].find((one) => one !== row && one.line.opened_at > line.opened_at);
    el("queue").insertBefore(row.item, after?.item ?? null);
    return row;
  }

  #fill(row) {
    const { line, parts } = row;
    const again = line.round > 1 ? "Opened again for fresh reviewers" : "";
    parts.camera.replaceChildren(line.camera, ...(again ? [make("small", { text: again })] : []));
    parts.seen.replaceChildren(`Seen ${timeOf(line.captured_at)}`, make("small", { text: dayOf(line.captured_at) }));
    parts.alerts.textContent = line.alerts === 1 ? "1 sighting" : `${line.alerts} sightings`;
    row.left.textContent = timeText(line);
    row.state.textContent = line.state === "open" ? "left to decide" : "";
    row.item.classList.toggle("over", line.state !== "open");
    this.#fillDeeds(row);
  }

  #fillDeeds(row) {
    const wanted = this.deeds.filter((deed) => deed.can(row.line));
    for (const deed of this.deeds) {
      if (wanted.includes(deed) === row.buttons.has(deed)) continue;
      if (row.buttons.has(deed)) row.buttons.get(deed).remove();
      row.buttons.delete(deed);
      if (wanted.includes(deed)) row.buttons.set(deed, this.#button(row, deed));
    }
    const isTaken = row.line.state === "open" && !wanted.length;
    row.none ??= row.parts.does.appendChild(make("span", { className: "quiet" }));
    row.none.textContent = isTaken ? this.waitingText : "";
  }

  #button(row, deed) {
    const about = `${row.line.camera}, seen ${timeOf(row.line.captured_at)}`;
    const button = make("button", { type: "button", text: deed.label, "aria-label": `${deed.label}: ${about}` });
    button.disabled = Boolean(this.isOff);
    button.addEventListener("click", () => deed.act(row.line));
    row.parts.does.append(button);
    return button;
  }

  #forgetUntold() {
    for (const id of this.untold ?? []) this.#drop(id);
    this.untold = null;
  }

  #drop(id) {
    this.rows.get(id)?.item.remove();
    this.rows.delete(id);
    this.#count();
  }

  #count() {
    const open = [...this.rows.values()].filter(({ line }) => line.state === "open").length;
    el("queue-empty").hidden = this.rows.size > 0;
    this.title ??= document.title;
    document.title = open ? `(${open}) ${this.title}` : this.title;
  }
}

function timeText(line) {
  return line.state === "open" ? left(line.expires_at) : STATES[line.state];
}
