// The plain forms of supervisors and engagement officers.

import * as api from "./api.js";
import { timeOf } from "./clock.js";
import { el, tell } from "./dom.js";
import * as screens from "./screens.js";

const FORMS = ["supersede", "engagement", "outcome"];

export class Forms {
  constructor(goBack) {
    this.goBack = goBack;
    this.line = null;
    el("form-back").addEventListener("click", goBack);
    this.#onSubmit("supersede", (fields) => ({ towards: this.towards, reason: fields.get("reason") }));
    this.#onSubmit("engagement", (fields) => ({ result: fields.get("result") }));
    this.#onSubmit("outcome", (fields) => ({ outcome: fields.get("outcome") }));
  }

  supersede(line) {
    const isMatch = line.state === "agreed_match";
    this.towards = isMatch ? "no_action" : "reopen";
    el("supersede-towards").textContent = isMatch
      ? "The agreed match is set aside: the case ends in no action."
      : "Two fresh reviewers decide again. Those who judged before are not among them.";
    el("supersede-do").textContent = isMatch ? "Set the match aside" : "Open for fresh reviewers";
    this.#show(line, isMatch ? "Set a match aside" : "Open a case again", ["supersede"]);
  }

  async record(line) {
    try {
      const status = await api.get(api.ofCase(line.case));
      this.#show(line, "What came of this match", status.engagements ? ["outcome", "engagement"] : ["engagement", "outcome"]);
      const recorded = [plural(status.engagements, "engagement"), plural(status.outcomes, "outcome")];
      el("form-about").textContent += ` · recorded so far: ${recorded.join(", ")}`;
    } catch (refused) {
      this.#told(refused);
    }
  }

  leave() {
    this.line = null;
    for (const name of FORMS) el(name).reset();
  }

  #show(line, title, forms) {
    this.leave();
    this.line = line;
    el("form-title").textContent = title;
    el("form-about").textContent = `${line.camera}, seen ${timeOf(line.captured_at)}`;
    for (const name of FORMS) el(name).hidden = !forms.includes(name);
    screens.show("form", line.case);
  }

  #onSubmit(name, bodyOf) {
    el(name).addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!this.line || this.isBusy) return;
      this.isBusy = true;
      try {
        await api.post(api.ofCase(this.line.case, name), bodyOf(new FormData(el(name))));
        this.goBack();
        tell("Recorded.");
      } catch (refused) {
        this.#told(refused);
      } finally {
        this.isBusy = false;
      }
    });
  }

  #told(refused) {
    if (!(refused instanceof api.Refused)) throw refused;
    tell(refused.message);
  }
}

function plural(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
