// The pictures of an open case: fetched once each, shown at native pixels, gone when the claim is.

import * as api from "./api.js";
import { dateOf, moment } from "./clock.js";
import { el, make } from "./dom.js";

// CSS pixels for one pixel of the picture; "fit" only ever makes a picture smaller.
const STEPS = ["fit", 1, 2, 3, 4, 6];
const NATIVE = 1;
// From here on single pixels are what one looks at: nothing may be smoothed between them.
const MAGNIFIED = 3;

export class Pictures {
  constructor() {
    this.panes = { probe: el("probe-pane"), reference: el("reference-pane") };
    this.zoom = { probe: NATIVE, reference: NATIVE };
    this.addresses = [];
    this.fetching = null;
    for (const side of Object.keys(this.panes)) this.#zoomButtons(side);
  }

  // Resolves to whether every picture is on the screen; false too if `clear` came first.
  async load(refs, progress) {
    this.clear();
    const fetching = (this.fetching = new AbortController());
    let shown = 0;
    progress(shown, refs.length);
    const figures = refs.map((ref) => this.#place(ref));
    const loads = refs.map(async (ref, index) => {
      const isShown = await this.#fill(figures[index], ref, fetching.signal).catch(() => false);
      if (isShown && !fetching.signal.aborted) progress(++shown, refs.length);
      if (!isShown) figures[index].querySelector("figcaption").prepend("This picture could not be shown. ");
      return isShown;
    });
    return (await Promise.all(loads)).every(Boolean) && !fetching.signal.aborted;
  }

  // Leaves no picture behind, neither in the page nor in the browser's store of blobs.
  clear() {
    this.fetching?.abort();
    for (const image of document.querySelectorAll(".pane img")) image.removeAttribute("src");
    for (const address of this.addresses) URL.revokeObjectURL(address);
    this.addresses = [];
    for (const pane of Object.values(this.panes)) pane.replaceChildren();
  }

  zoomBoth(step) {
    for (const side of Object.keys(this.panes)) this.#zoomTo(side, this.#next(side, step));
  }

  zoomNative() {
    for (const side of Object.keys(this.panes)) this.#zoomTo(side, NATIVE);
  }

  #place(ref) {
    const caption = make("figcaption");
    caption.append(...captionOf(ref));
    const figure = make("figure", {}, caption);
    figure.dataset.kind = ref.kind;
    if (ref.kind === "context") figure.className = "alone";
    this.panes[sideOf(ref)].append(figure);
    return figure;
  }

  async #fill(figure, ref, signal) {
    const blob = await api.picture(ref.address, signal);
    if (signal.aborted) return false;
    const address = URL.createObjectURL(blob);
    this.addresses.push(address);
    const image = make("img", { alt: altOf(ref), draggable: "false" });
    image.src = address;
    await image.decode();
    if (signal.aborted) return false;
    figure.prepend(image);
    this.#size(image, this.zoom[sideOf(ref)]);
    return true;
  }

  #size(image, zoom) {
    const isFit = zoom === "fit";
    image.style.width = isFit ? "auto" : `${image.naturalWidth * zoom}px`;
    image.style.maxWidth = isFit ? "100%" : "none";
    image.classList.toggle("magnified", zoom >= MAGNIFIED);
  }

  #zoomButtons(side) {
    const group = document.querySelector(`[data-zoom=${side}]`);
    const button = (text, label, act) => {
      const one = make("button", { type: "button", text, "aria-label": label });
      one.addEventListener("click", act);
      return one;
    };
    this.zoomShown ??= {};
    this.zoomShown[side] = make("output");
    group.append(
      button("−", "Zoom out", () => this.#zoomTo(side, this.#next(side, -1))),
      this.zoomShown[side],
      button("+", "Zoom in", () => this.#zoomTo(side, this.#next(side, 1))),
      button("1:1", "Native pixels", () => this.#zoomTo(side, NATIVE)),
    );
    this.#zoomTo(side, NATIVE);
  }

  #next(side, step) {
    const at = STEPS.indexOf(this.zoom[side]) + step;
    return STEPS[Math.max(0, Math.min(STEPS.length - 1, at))];
  }

  #zoomTo(side, zoom) {
    this.zoom[side] = zoom;
    this.zoomShown[side].textContent = zoom === "fit" ? "Fit" : `${zoom * 100} %`;
    const pane = this.panes[side];
    const anchor = firstInView(pane);
    for (const image of pane.querySelectorAll("img")) this.#size(image, zoom);
    if (anchor) bringBack(pane, anchor);
  }
}

// The first picture of which something can be seen, and the middle of what can be seen of it.
function firstInView(pane) {
  const view = pane.getBoundingClientRect();
  for (const image of pane.querySelectorAll("img")) {
    const box = image.getBoundingClientRect();
    const x = [Math.max(box.left, view.left), Math.min(box.right, view.right)];
    const y = [Math.max(box.top, view.top), Math.min(box.bottom, view.bottom)];
    if (x[0] >= x[1] || y[0] >= y[1]) continue;
    const across = ((x[0] + x[1]) / 2 - box.left) / box.width;
    const down = ((y[0] + y[1]) / 2 - box.top) / box.height;
    return { image, across, down };
  }
  return null;
}

// What was looked at before the zoom is looked at after it.
function bringBack(pane, { image, across, down }) {
  const view = pane.getBoundingClientRect();
  const box = image.getBoundingClientRect();
  const x = box.left + across * box.width - (view.left + view.width / 2);
  const y = box.top + down * box.height - (view.top + view.height / 2);
  pane.scrollBy(x, y);
}

function sideOf(ref) {
  return ref.kind === "reference" ? "reference" : "probe";
}

function captionOf(ref) {
  if (ref.kind === "reference") {
    return ref.taken_on ? [`Taken ${dateOf(ref.taken_on)}`] : ["Date not known"];
  }
  const what = ref.kind === "context" ? "Surroundings; other faces are blurred" : "Best shot";
  return [moment(ref.captured_at), make("small", { text: `${ref.camera} · ${what}` })];
}

function altOf(ref) {
  const number = Number(ref.name.split("/")[1]) + 1;
  if (ref.kind === "reference") return `Picture ${number} of the listed person`;
  if (ref.kind === "context") return `Surroundings of the person seen, picture ${number}`;
  return `Best shot ${number} of the person seen`;
}
