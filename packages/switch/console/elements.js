/** The pieces that every page is made of; texts are texts and never HTML. */
import { word } from "./words.js"

/** An element with attributes and children; texts are texts and never HTML. */
export const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value)
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value)
  }
  made.append(...children)
  return made
}

/** A button. */
export const button = (text, act, more = {}) => element("button", { type: "button", onclick: act, ...more }, text)

/** A table that scrolls by itself; heads are words with the class of their column. */
export const table = (heads, rows) =>
  element(
    "div",
    { class: "scroll" },
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element("tr", {}, ...heads.map(([key, kind = ""]) => element("th", { class: kind, scope: "col" }, word(key))))
      ),
      element("tbody", {}, ...rows)
    )
  )

/** A cell. */
export const cell = (text, kind = "") => element("td", { class: kind }, text)

/** One number to look at. */
export const card = (key, value, isBad = false) =>
  element("div", { class: isBad ? "card bad" : "card" }, element("b", {}, value), word(key))

/** Gives an element its text, and its class where one is told; touches nothing that is so already. */
export const keep = (one, text, kind) => {
  if (one.textContent !== text) one.textContent = text
  if (kind !== undefined && one.className !== kind) one.className = kind
}
