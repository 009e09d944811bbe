/** The pieces that every page is made of; texts are texts and never HTML. */
import { says } from "./sentences.js"
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

/** The head of a part of a page, and what it shows in a sentence. */
export const part = (text, hint = "") => [
  element("h3", {}, text),
  ...(hint === "" ? [] : [element("p", { class: "soft hint" }, hint)])
]

/** What is said where there is nothing to show. */
export const empty = (text) => element("p", { class: "empty" }, text)

/** What is said where something could not be had. */
export const failed = (text) => element("p", { class: "error", role: "alert" }, says(text))

/** Buttons in one cell. */
export const buttons = (...all) => element("td", {}, element("div", { class: "buttons" }, ...all))

const rowOf = (one) => {
  const row = one.closest("tr")
  return row === null ? "" : Object.values(row.dataset).join(" ")
}

/** Remembers where the keyboard is; what comes of it brings it back there: to the same button of the same row, or to the page. */
export const bookmark = (focused, place = document.getElementById("main")) => {
  const was = place.contains(focused) ? [rowOf(focused), focused.textContent] : undefined
  return () => {
    if (was === undefined) return
    const all = [...place.querySelectorAll("button, select")].filter((one) => rowOf(one) === was[0])
    const again = all.find((one) => one.textContent === was[1]) ?? all[0]
    if (again !== undefined) return again.focus()
    if (document.activeElement === document.body) document.getElementById("main").focus()
  }
}

/** Puts other children in a place, and leaves the keyboard where it was. */
export const renew = (place, ...children) => {
  const goBack = bookmark(document.activeElement, place)
  place.replaceChildren(...children)
  goBack()
}

/** One number to look at. */
export const card = (key, value, isBad = false) =>
  element("div", { class: isBad ? "card bad" : "card" }, element("b", {}, isBad ? `! ${value}` : value), word(key))

/** Gives an element its text, and its class where one is told; touches nothing that is so already. */
export const keep = (one, text, kind) => {
  if (one.textContent !== text) one.textContent = text
  if (kind !== undefined && one.className !== kind) one.className = kind
}
