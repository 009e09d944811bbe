import { describe, expect, it } from "vitest"
import { configurationOf, saidOf, sound } from "./checked.ts"

/** The sound configuration with lines added to its first link. */
const withLines = (...lines: ReadonlyArray<string>): string =>
  sound.replace("    dialect: cups\n", `    dialect: cups\n${lines.map((line) => `    ${line}\n`).join("")}`)

const doors = (by: string, tls = ""): string => `name: demo
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_TEST_KEY } }
doors:
  - { name: front, by: ${by}, listen: { host: 127.0.0.1, port: 7000${tls} } }
links:
  - { name: bank-a, institution: "48020000", dialect: cups, door: { name: front${by === "header" ? "" : ", fieldValue: T1"} } }
  - { name: bank-b, institution: "48030000", dialect: cups, door: { name: front${by === "header" ? "" : ", fieldValue: T2"} } }
  - { name: issuer, institution: "01020000", dialect: cups, connect: { host: 127.0.0.1, port: 7002 } }
routes: [{ bin: "621234", to: issuer }]
`

describe("Who a partner may speak for", () => {
  it("is nobody but itself, and checked, unless the file says otherwise", async () => {
    const { settings } = await configurationOf(sound)

    expect(settings.links[0]).toMatchObject({ institution: "48020000", speaksFor: [], identity: "checked" })

    const more = await configurationOf(withLines('speaksFor: ["48020001", "48020002"]'))

    expect(more.settings.links[0]).toMatchObject({ speaksFor: ["48020001", "48020002"], identity: "checked" })
    expect(await saidOf(withLines('speaksFor: ["48020001", "48020002"]'))).toEqual([])
  })

  it("is said by check where it is everybody, or somebody with a link of its own", async () => {
    expect(await saidOf(withLines("identity: unchecked"))).toEqual([
      "switch.yaml:8:15 warning links[0].identity: this partner can pretend to be any other, and reverse what others have sent: no message is checked. List in `speaksFor` whom it speaks for, and take `identity` out."
    ])
    expect(await saidOf(withLines("speaksFor: any"))).toEqual([
      "switch.yaml:8:16 warning links[0].speaksFor: this partner may name every institution, those of other links too (issuer). List them where they are known; a centre's link may need `any`."
    ])
    expect(await saidOf(withLines('speaksFor: ["48020001", "01020000"]'))).toEqual([
      "switch.yaml:8:29 warning links[0].speaksFor[1]: this partner may speak for an institution that has a link of its own (issuer). Take it out, if only the institution itself should."
    ])
    expect(await saidOf(withLines("identity: unchecked", 'speaksFor: ["48020001"]'))).toContain(
      "switch.yaml:9:16 warning links[0].speaksFor: nobody looks at this while `identity` is unchecked. Take one of them out."
    )
  })

  it("is refused where it is no institution's code, or no word for how it is checked", async () => {
    expect(await saidOf(withLines("speaksFor: [48020001]"))).toEqual([
      "switch.yaml:8:17 error links[0].speaksFor[0]: expected an institution code of 1 to 11 digits, in quotes; found 48020001. Put it in quotes: YAML reads bare digits as a number."
    ])
    expect(await saidOf(withLines("speaksFor: all"))).toEqual([
      "switch.yaml:8:16 error links[0].speaksFor: expected a list of institution codes, or any; found all. Write a list of institution codes, or any."
    ])
    expect(await saidOf(withLines("identity: no"))).toEqual([
      "switch.yaml:8:15 error links[0].identity: expected checked or unchecked; found no. Write checked or unchecked."
    ])
  })

  it("goes with what the door has told it by, on every message", async () => {
    const byHeader = await configurationOf(doors("header"))
    expect(byHeader.settings.links.map(({ mark }) => mark)).toEqual([{ _tag: "header" }, { _tag: "header" }, undefined])
    const byField = await configurationOf(doors("field, field: 41"))
    expect(byField.settings.links[1]?.mark).toEqual({ _tag: "field", field: 41, value: "T2" })
  })

  it("is warned of at a door that knows the certificates of all its partners, and not which is whose", async () => {
    const pin = "a".repeat(64)
    const tls = `, tls: { certificate: a.pem, key: a.key, partner: { fingerprints: ["${pin}", "${"b".repeat(64)}"] } }`
    const said = await saidOf(doors("header", tls))
    expect(said.filter((text) => text.includes("another partner of this door could pretend to be")).length).toBe(2)
  })
})
