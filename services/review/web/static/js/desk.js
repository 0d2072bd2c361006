// The one case that is open: from the claim to its end. Nothing but a person's own press opens or swaps it.

import * as api from "./api.js";
import { caution, noCaution } from "./cautions.js";
import { dateAndTime, left, now, sync } from "./clock.js";
import { el, tell } from "./dom.js";
import { Judgement } from "./judgement.js";
import { Pictures } from "./pictures.js";
import * as screens from "./screens.js";

// A hiccup of the network shorter than this leaves the pictures where they are.
const BLIP_MS = 3_000;
const WARN_MS = 30_000;
const SHORT_MS = 20_000;
const LAPSED = "Your claim has lapsed. The case goes to somebody else. Nothing was recorded.";
const UNANSWERED =
  "The answer to your judgement was lost. If it was recorded, this case is not offered to you again; if not, it goes to somebody else.";
const ENDED = {
  agreed_match: "The case was decided.",
  no_action: "The case was decided.",
  expired: "The time for this case is up. It ends in no action.",
};

export class Desk {
  constructor({ lineOf }) {
    this.lineOf = lineOf;
    this.open = null;
    this.isBusy = false;
    this.isLost = false;
    this.isActive = false;
    this.pictures = new Pictures();
    this.judgement = new Judgement((answer) => this.#judge(answer));
    el("put-back").addEventListener("click", () => this.release("put_back"));
    el("keep").addEventListener("click", () => this.keep());
    el("refresh").addEventListener("click", () => this.refresh());
    for (const kind of ["keydown", "pointerdown", "wheel"]) {
      document.addEventListener(kind, () => (this.isActive = true), { passive: true });
    }
  }

  async take(line) {
    if (this.isBusy || this.open) return;
    await this.#once(async () => {
      tell("Taking the case…");
      const view = await api.post(api.ofCase(line.case, "claim"));
      tell("");
      this.#show(view, line.alerts);
    });
  }

  // The same case again: newer pictures, or those that had to be cleared.
  async refresh() {
    if (!this.open || this.isLost) return;
    await this.#once(async () => {
      const { id, fence, digest } = this.open;
      const view = await api.post(api.ofCase(id, "view"), { fence });
      if (this.open?.fence !== fence) return;
      if (view.displayed_digest !== digest) this.judgement.reset();
      this.#fill(view, this.lineOf(id)?.alerts ?? this.open.alerts);
    });
  }

  async keep() {
    if (!this.open || this.isLost) return;
    const { id, fence } = this.open;
    try {
      const claim = await api.post(api.ofCase(id, "renew"), { fence });
      if (this.open?.fence !== fence) return;
      sync(claim.now);
      Object.assign(this.open, { until: claim.expires_at, length: claim.expires_at - claim.now, isWarned: false });
    } catch (refused) {
      this.#refused(refused);
    }
  }

  async release(reason) {
    if (!this.open || this.isLost) return;
    const { id, fence } = this.open;
    await this.#once(async () => {
      await api.post(api.ofCase(id, "release"), { fence, reason });
      const text = reason === "knows_person" ? "Other people will decide this case." : "Anybody may take it again.";
      this.#end(reason === "knows_person" ? "Handed on" : "Put back", text);
    });
  }

  // What the queue says of a case may end the open one; it never replaces it.
  heard(line) {
    if (!this.open || line.case !== this.open.id || this.isBusy) return;
    if (line.state !== "open") return this.#end("This case has ended", ENDED[line.state]);
    // The queue may lag behind the claim that was just given.
    if (line.mine?.fence === this.open.fence) this.open.isKnown = true;
    else if (this.open.isKnown) return this.#lapse();
    el("news").hidden = line.alerts <= this.open.alerts;
  }

  lost() {
    this.isLost = true;
    this.judgement.freeze(true);
    this.blip = setTimeout(() => this.#wipe("The pictures were cleared. They come back with the connection."), BLIP_MS);
  }

  back() {
    clearTimeout(this.blip);
    if (!this.isLost) return;
    this.isLost = false;
    this.judgement.freeze(false);
    if (this.open) this.refresh();
  }

  // Sign-out, or a session that has ended.
  leave() {
    clearTimeout(this.blip);
    this.open = null;
    this.#wipe("");
  }

  tick() {
    if (!this.open) return;
    const open = this.open;
    const rest = open.until - now();
    el("claim-left").textContent = left(open.until);
    el("case-left").textContent = left(open.ends);
    el("claim-left").classList.toggle("short", rest < SHORT_MS);
    if (rest <= 0 && !this.isBusy) return now() < open.ends ? this.#lapse() : this.#end("Time is up", ENDED.expired);
    // Who is working keeps the case; who has left the desk does not.
    if (this.isActive && rest < open.length / 2 && open.until < open.ends) {
      this.isActive = false;
      this.keep();
    } else if (rest < WARN_MS && !open.isWarned && open.length > 2 * WARN_MS) {
      open.isWarned = true;
      tell("Less than 30 seconds of your claim are left.");
    }
  }

  #show(view, alerts) {
    this.judgement.reset();
    this.pictures.zoomNative();
    this.isActive = false;
    this.#fill(view, alerts);
    screens.show("case", `${view.case} ${view.claim.fence}`);
  }

  async #fill(view, alerts) {
    sync(view.now);
    const { fence, expires_at: until } = view.claim;
    const isUnanswered = this.open?.isUnanswered;
    const open = (this.open = { isUnanswered, id: view.case, fence, digest: view.displayed_digest, until, ends: view.expires_at, alerts });
    open.length = until - view.now;
    el("news").hidden = true;
    el("case-title").textContent = `${view.camera}, ${dateAndTime(view.captured_at)}`;
    const again = view.round > 1 ? " · opened again for fresh reviewers" : "";
    el("case-about").textContent = `Listed as: ${view.category}${again}`;
    caution(view);
    this.tick();
    this.judgement.enable(false);
    const areShown = await this.pictures.load(view.pictures, (shown, all) => this.judgement.say(`Loading pictures: ${shown} of ${all}`));
    if (this.open !== open || this.isLost) return;
    if (areShown) this.judgement.enable(true);
    else this.judgement.say("Not every picture could be shown. Press R to ask for them again.");
  }

  async #judge({ answer, features }) {
    if (!this.open || this.isLost) return;
    if (answer === "knows_person") return this.release(answer);
    const { id, fence, digest } = this.open;
    await this.#once(async () => {
      const body = { fence, judgement: answer, features, displayed_digest: digest };
      const told = await this.#surely(api.ofCase(id, "judgement"), body);
      this.#end(`Recorded: ${this.judgement.nameOf(answer)}`, standing(told.status), told);
    });
  }

  // The same judgement said twice counts once: if the first answer was lost, the second tells.
  async #surely(path, body) {
    try {
      return await api.post(path, body);
    } catch (refused) {
      if (!refused.isUncertain) throw refused;
      if (this.open) this.open.isUnanswered = true;
      return api.post(path, body);
    }
  }

  #lapse() {
    if (this.open?.isUnanswered) this.#end("Not certain", UNANSWERED);
    else this.#end("Claim lapsed", LAPSED);
  }

  #end(title, text, told = null) {
    if (!this.open) return;
    const { id, fence } = this.open;
    this.open = null;
    this.#wipe("");
    el("done-title").textContent = title;
    el("done-text").textContent = text;
    // No score while the case is open, nor where the pictures' key died in between: the judgement stands all the same.
    const hasScore = typeof told?.score === "number";
    el("done-score").hidden = !hasScore;
    el("score").textContent = hasScore ? told.score.toFixed(3) : "";
    el("threshold").textContent = hasScore ? told.threshold.toFixed(3) : "";
    screens.show("done", `${id} ${fence}`);
  }

  #wipe(text) {
    this.pictures.clear();
    noCaution();
    this.judgement.enable(false);
    this.judgement.say(text);
  }

  #refused(refused) {
    if (!(refused instanceof api.Refused)) throw refused;
    if (refused.word === "not_yours") return this.#lapse();
    if (refused.word === "gone") return this.#end("This case has ended", refused.message);
    tell(refused.message);
    if (refused.word === "stale") el("news").hidden = false;
  }

  // One request of the case at a time; a refusal is told, not thrown.
  async #once(work) {
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      await work();
    } catch (refused) {
      this.#refused(refused);
    } finally {
      this.isBusy = false;
    }
    // What the queue said meanwhile.
    const line = this.open && this.lineOf(this.open.id);
    if (line) this.heard(line);
  }
}

function standing(status) {
  if (status.state === "agreed_match") return "Two people agree: the case is a match.";
  if (status.state === "no_action") return "The case ends in no action.";
  return "The case waits for another person, who does not see your judgement.";
}
