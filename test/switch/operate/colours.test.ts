/** The console's colours by WCAG 2.2: contrast is computed (1.4.3), and no state is a colour alone (1.4.1). */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../packages/switch/console/${name}`, import.meta.url)), "utf8")

const css = read("console.css")

/** Colours by name, in the light and the dark scheme. */
const schemes = [0, 1].map(
  (at) =>
    new Map(
      [...css.matchAll(/--(\w+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name, light, dark]) => [
        name!,
        [light!, dark!][at]!
      ])
    )
)

const channels = (hex: string): ReadonlyArray<number> =>
  [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })

const luminance = (hex: string): number => {
  const [red, green, blue] = channels(hex)
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

const contrast = (one: string, other: string): number => {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light! + 0.05) / (dark! + 0.05)
}

describe("The console's colours", () => {
  it("are read by everybody: text has a contrast of 4.5 on every ground, in the light and in the dark", () => {
    const texts = ["ink", "soft", "good", "warn", "bad", "idle"]
    for (const colours of schemes) {
      for (const text of texts) {
        for (const ground of ["paper", "card"]) {
          const ratio = contrast(colours.get(text)!, colours.get(ground)!)
          expect(ratio, `${text} on ${ground}: ${ratio.toFixed(2)}`).toBeGreaterThanOrEqual(4.5)
        }
      }
    }
  })

  it("are never alone: each state of a link has its own sign and its own dash", () => {
    const signs = [...read("picture.js").matchAll(/kind: "(\w+)", sign: "(.)"/g)].map(([, kind, sign]) => [kind, sign])
    const dashes = [...css.matchAll(/\.wire\.(\w+) \{[^}]*?(?:stroke-dasharray: ([^;]+);)?\s*\}/g)]
    const dashOf = new Map(dashes.map(([, kind, dash = "none"]) => [kind!, dash]))

    expect(new Map(signs.map(([kind, sign]) => [kind, sign])).size).toBe(4)
    expect(new Set(signs.map(([, sign]) => sign)).size).toBe(4)
    expect([...dashOf.keys()].sort()).toEqual(["bad", "good", "idle", "warn"])
    expect(new Set(dashOf.values()).size).toBe(4)
  })

  it("are never alone in the charts either: each of eight lines has its own dash", () => {
    const [, list] = /const dashes = (\[.*\])/.exec(read("charts.js"))!
    const dashes: ReadonlyArray<ReadonlyArray<number>> = JSON.parse(list!)

    expect(new Set(dashes.map((dash) => dash.join(" "))).size).toBe(8)
  })
})
