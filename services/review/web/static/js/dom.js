// Elements by id, and new ones; text is always text, never markup.

export function el(id) {
  return document.getElementById(id);
}

export function make(tag, { text, className, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// What is said goes to the polite live region; the same text again is said again.
export function tell(text) {
  const told = el("told");
  told.textContent = "";
  told.textContent = text;
}
