// The live queue: server-sent events, watched for silence, opened again after a loss.

import { sync } from "./clock.js";

// The server beats every four seconds (web/stream.py).
const SILENCE_MS = 10_000;
const AGAIN_MS = 2_000;

export class Live {
  // `told` has hello(), line(summary), lost() and signedOut().
  constructor(told) {
    this.told = told;
    this.source = null;
    this.silence = null;
    this.again = null;
    this.isLost = false;
    this.isOver = false;
  }

  connect() {
    if (this.isOver) return;
    clearTimeout(this.again);
    const source = (this.source = new EventSource("/api/queue"));
    this.#listen();
    source.addEventListener("hello", (event) => this.#heard(event, () => this.#hello()));
    source.addEventListener("case", (event) => this.#heard(event, (line) => this.told.line(line)));
    source.addEventListener("beat", (event) => this.#heard(event, () => {}));
    source.addEventListener("signed-out", () => this.told.signedOut());
    source.addEventListener("error", () => this.#lose());
  }

  stop() {
    this.isOver = true;
    this.#close();
  }

  #hello() {
    this.isLost = false;
    this.told.hello();
  }

  #heard(event, then) {
    if (event.target !== this.source) return;
    const said = JSON.parse(event.data);
    sync(said.now);
    this.#listen();
    then(said);
  }

  #listen() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.#lose(), SILENCE_MS);
  }

  #lose() {
    this.#close();
    if (this.isOver) return;
    if (!this.isLost) {
      this.isLost = true;
      this.told.lost();
    }
    this.again = setTimeout(() => this.told.retry(), AGAIN_MS);
  }

  #close() {
    clearTimeout(this.silence);
    clearTimeout(this.again);
    this.source?.close();
    this.source = null;
  }
}
