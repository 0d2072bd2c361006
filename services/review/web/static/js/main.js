// Puts the page together: who is here, the live queue, the open case, the keys.

import * as api from "./api.js";
import { timeOf, now, sync } from "./clock.js";
import { Desk } from "./desk.js";
import { el, tell } from "./dom.js";
import { Forms } from "./forms.js";
import { Judgement } from "./judgement.js";
import * as keys from "./keys.js";
import { Live } from "./live.js";
import { Queue } from "./queue.js";
import * as screens from "./screens.js";

const TICK_MS = 250;
// The first role of a person that stands here gives the queue its words.
const QUEUES = {
  reviewer: { title: "Open cases", empty: "No open cases.", waiting: "With other people" },
  supervisor: { title: "Cases", empty: "No cases.", waiting: "With the reviewers" },
  engagement_officer: { title: "Agreed matches", empty: "No agreed matches.", waiting: "" },
};
const NO_QUEUE = { title: "Cases", empty: "Your roles have nothing to decide here.", waiting: "" };

let queue, desk, forms, live, ticking;

async function start() {
  api.whenSessionEnds(signedOut);
  const me = await api.whoAmI();
  sync(me.now);
  el("who").textContent = me.name;
  const first = Object.keys(QUEUES).find((role) => me.roles.includes(role));
  const words = QUEUES[first] ?? NO_QUEUE;
  el("queue-title").textContent = words.title;
  el("queue-empty").firstElementChild.textContent = words.empty;
  el("queue-empty").lastElementChild.hidden = !first;
  forms = new Forms(toQueue);
  desk = new Desk({ lineOf: (id) => queue.line(id) });
  const deeds = deedsOf(me.roles);
  const keepsEnded = (line) => deeds.some((deed) => deed.can(line));
  queue = new Queue(deeds, { keepsEnded, waiting: words.waiting });
  live = new Live({ hello, line, lost, retry, signedOut });
  listen();
  toQueue();
  ticking = setInterval(tick, TICK_MS);
  el("link").hidden = !first;
  if (first) live.connect();
}

function deedsOf(roles) {
  const deeds = [];
  if (roles.includes("reviewer")) {
    deeds.push({ label: "Take case", can: (line) => line.claimable, act: (line) => desk.take(line) });
    deeds.push({ label: "Continue", can: (line) => line.mine !== null, act: (line) => desk.take(line) });
  }
  if (roles.includes("supervisor")) {
    deeds.push({ label: "Set aside", can: (line) => line.state === "agreed_match", act: (line) => forms.supersede(line) });
    const isUndone = (line) => line.state === "no_action" || line.state === "expired";
    deeds.push({ label: "Open again", can: isUndone, act: (line) => forms.supersede(line) });
  }
  if (roles.includes("engagement_officer")) {
    deeds.push({ label: "Record", can: (line) => line.state === "agreed_match", act: (line) => forms.record(line) });
  }
  return deeds;
}

function listen() {
  el("back").addEventListener("click", toQueue);
  el("sign-out").addEventListener("click", signOut);
  el("keys-open").addEventListener("click", () => el("keys").showModal());
  // The browser keeps a page that one has left for going back to it: no picture stays in it.
  window.addEventListener("pagehide", () => desk.leave());
  const judging = Object.fromEntries(Judgement.keys.map((key) => [key, () => desk.judgement.choose(key)]));
  keys.listen({
    everywhere: { "?": () => el("keys").showModal() },
    queue: { ArrowDown: () => queue.move(1), ArrowUp: () => queue.move(-1) },
    done: { Enter: toQueue },
    case: {
      ...judging,
      Enter: () => desk.judgement.record(),
      ArrowDown: () => desk.judgement.move(1),
      ArrowUp: () => desk.judgement.move(-1),
      f: () => desk.judgement.toFeatures(),
      p: () => el("probe-pane").focus(),
      o: () => el("reference-pane").focus(),
      "+": () => desk.pictures.zoomBoth(1),
      "=": () => desk.pictures.zoomBoth(1),
      "-": () => desk.pictures.zoomBoth(-1),
      0: () => desk.pictures.zoomNative(),
      e: () => desk.keep(),
      b: () => desk.release("put_back"),
      r: () => desk.refresh(),
    },
  });
}

function toQueue() {
  forms.leave();
  tell("");
  screens.show("queue");
}

function hello() {
  el("link").textContent = "Live";
  el("link").dataset.state = "live";
  el("alarm").textContent = "";
  queue.startAgain();
  queue.enable(true);
  desk.back();
}

function line(summary) {
  queue.put(summary);
  desk.heard(summary);
}

function lost() {
  el("link").textContent = "Not connected";
  el("link").dataset.state = "lost";
  el("alarm").textContent = `Connection lost at ${timeOf(now())}. Nothing can be decided until it is back; trying again.`;
  queue.enable(false);
  desk.lost();
}

// Asked first, because a stream that is refused does not say why: the session may have ended meanwhile.
async function retry() {
  try {
    sync((await api.whoAmI()).now);
  } catch {
    // Not back yet; a session that has ended was told of already.
  }
  live.connect();
}

function signedOut() {
  live?.stop();
  clearInterval(ticking);
  desk?.leave();
  forms?.leave();
  queue?.clear();
  el("alarm").textContent = "";
  el("who").textContent = "";
  el("sign-out").hidden = true;
  el("link").hidden = true;
  tell("");
  screens.show("ended");
}

async function signOut() {
  desk.leave();
  try {
    await api.post("/api/sign-out");
  } catch {
    return lost();
  }
  live.stop();
  location.replace("/sign-in");
}

function tick() {
  queue.tick();
  desk.tick();
}

start().catch((refused) => {
  if (refused.word === "not_signed_in") return;
  el("alarm").textContent = "This page could not be started. Please reload it.";
});
