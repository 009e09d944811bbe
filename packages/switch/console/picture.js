/** Who talks to whom: the switch in the middle, each link a wire to its partner, its state by colour, dash and shape. */
import { word } from "./words.js"

const space = "http://www.w3.org/2000/svg"
const node = (name, attributes, ...children) => {
  const made = document.createElementNS(space, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

/** Good, idle (somebody wants it so), warn (half) or bad, with a sign of its own. */
export const kindOf = ({ blocked, draining, ready, up }) => {
  if (blocked || draining) return { kind: "idle", sign: "■" }
  if (ready) return { kind: "good", sign: "●" }
  return up ? { kind: "warn", sign: "▲" } : { kind: "bad", sign: "✕" }
}

const ROW = 34

/** Draws the links into `place`. Partners that ask more than they answer are on the left. */
export const draw = (place, links, rates) => {
  const left = links.filter(({ in: asked, out }) => asked >= out && asked > 0)
  const right = links.filter((link) => !left.includes(link))
  const rows = Math.max(left.length, right.length, 1)
  const height = rows * ROW + 40
  const middle = height / 2
  const svg = node("svg", { viewBox: `0 0 760 ${height}`, role: "img", "aria-label": word("links") })
  const side = (all, x, boxX, centre) =>
    all.forEach((link, index) => {
      const y = 30 + (index + (rows - all.length) / 2) * ROW
      const { kind, sign } = kindOf(link)
      const bend = (x + centre) / 2
      const rate = rates.get(link.name)
      const says = `${short(rate?.in)} ⇄ ${short(rate?.out)} /s`
      svg.append(
        node("path", {
          class: `wire ${kind}`,
          d: `M ${x} ${y} C ${bend} ${y}, ${bend} ${middle}, ${centre} ${middle}`
        }),
        node("rect", { class: "box", x: boxX, y: y - 13, width: 210, height: 27, rx: 5 }),
        node("text", { x: boxX + 8, y: y + 4 }, `${sign} ${link.name}`),
        node("text", { x: boxX + 202, y: y + 4, "text-anchor": "end", class: "soft" }, says),
        node("title", {}, `${link.name}: ${link.state}`)
      )
    })
  const short = (value) => (Number.isFinite(value) ? Math.round(value) : 0)
  side(left, 220, 10, 330)
  side(right, 540, 540, 430)
  svg.append(
    node("rect", { class: "box", x: 330, y: middle - 22, width: 100, height: 44, rx: 8 }),
    node("text", { x: 380, y: middle + 5, "text-anchor": "middle" }, "Jinka 金卡")
  )
  place.replaceChildren(svg)
}
