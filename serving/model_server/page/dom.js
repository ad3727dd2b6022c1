/** Makes an element with properties and children. */
export function h(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Makes a button that calls `onclick`. */
export const button = (text, onclick, className = "", ariaLabel = null) =>
  h("button", { type: "button", textContent: text, onclick, className, ariaLabel });

/** 1 example, 2 examples. */
export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
