/** What docs/guides/connect-an-hsm.md says each device family can do is what the families' tables say. */
import { readFileSync } from "node:fs"
import { macAlgorithms } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import {
  deviceMacLengths,
  deviceWrap,
  keysOf,
  macNames,
  paddingsFor,
  pinFormatsOf
} from "../../packages/switch/src/guard/hsm/Abilities.ts"
import type { DeviceFamily } from "../../packages/switch/src/guard/hsm/DeviceFamily.ts"
import { deviceFamilies } from "../../packages/switch/src/guard/hsm/Families.ts"

const guide = readFileSync(new URL("../../docs/guides/connect-an-hsm.md", import.meta.url), "utf8")

const macs = (family: DeviceFamily): string =>
  macNames(family)
    .map((name) => {
      const paddings = paddingsFor(family, macAlgorithms[name as keyof typeof macAlgorithms])
      return `\`${name}\` (padding ${paddings.join(", ")})`
    })
    .join(", ")

const rows: Readonly<Record<string, (family: DeviceFamily) => string>> = {
  MACs: macs,
  "MACs are compared by": ({ macs: all }) => (all.every(({ verify }) => verify !== undefined) ? "the device" : "Jinka"),
  "PIN blocks from zone to zone": (family) =>
    pinFormatsOf(family)
      .map((name) => `\`${name}\``)
      .join(", "),
  "PIN blocks from a terminal (TPK) to a zone": ({ terminals }) => (terminals === undefined ? "no" : "yes"),
  "PIN blocks to a terminal": () => "no",
  keys: (family) => keysOf(family).join(", "),
  "keys that a partner delivers": () => `\`${deviceWrap}\` under the key-encryption key`,
  "keys that we give": ({ generateKey }) => (generateKey === undefined ? "no" : "drawn in the device"),
  heartbeat: ({ heartbeat }) => (heartbeat === undefined ? "none: a new connection shows that it is there" : "NC")
}

describe("The guide to devices", () => {
  it.each(Object.entries(rows))("says of each family what its table says: %s", (name, cell) => {
    const cells = Object.values(deviceFamilies).map((family: DeviceFamily) => cell(family))

    expect(guide).toContain(`| ${name} | ${cells.join(" | ")} |`)
  })

  it("names the families in that order, and the lengths of MACs", () => {
    expect(guide).toContain(
      `| | ${Object.keys(deviceFamilies)
        .map((name) => `\`${name}\``)
        .join(" | ")} |`
    )
    expect(guide).toContain(`MACs of ${deviceMacLengths.join(" or ")} bytes`)
  })
})
