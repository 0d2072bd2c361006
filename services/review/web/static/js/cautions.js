// What must be read before two faces are judged: who may be taken for the listed person, and how to meet them.

import { el, make } from "./dom.js";

const WHO = {
  twin: "a twin",
  sibling: "a brother or sister",
  parent_or_child: "a parent or child",
  other_kin: "a relative",
  look_alike: "somebody who is no relative, but looks alike",
};
const TWICE = "The person is on this list twice: the other entry may raise an alert of its own.";
const FLAGS = { under_18: "under 18", vulnerable: "vulnerable", victim: "a victim", missing: "missing" };

export function caution({ resembles, handling, risk_flags: flags }) {
  const texts = resembles.map(inWords);
  if (flags.length) texts.push(`The person listed is ${flags.map((flag) => FLAGS[flag] ?? flag).join(", ")}.`);
  if (handling) texts.push(`How to meet the person: ${handling}`);
  el("cautions").replaceChildren(...texts.map((text) => make("p", { text })));
}

export function noCaution() {
  el("cautions").replaceChildren();
}

function inWords({ likeness, is_listed: isListed }) {
  if (likeness === "listed_twice") return TWICE;
  const who = WHO[likeness] ?? "another person who looks alike";
  return `Careful: the listed person has ${who}${isListed ? ", who is on this list too" : ""}. Look for what tells them apart.`;
}
