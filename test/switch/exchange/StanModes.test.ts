import { describe, expect, it } from "vitest"
import type { Desk } from "../../../packages/switch/src/exchange/Desk.ts"
import { StanModes } from "../../../packages/switch/src/exchange/StanModes.ts"
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"

const desk = (name: string, hasOwnStan: boolean): Desk =>
  ({ name, names: [name], language: { hasOwnStan } }) as unknown as Desk

/** Links with STANs of ours where that is said, and what they write. */
const modesOf = (present: ReadonlyArray<Desk>) => {
  const written: Array<string> = []
  const lasting = (text: string) => written.push(text)
  return { modes: new StanModes({ present, record: { lasting } }), written }
}

const event = (code: string) => ({ kind: EntryKind.event, code }) as Entry

describe("STANs of links", () => {
  it("are said once, however many links have STANs of ours, and read again", () => {
    const links = ["a", "b", "c", "d", "e"].map((name) => desk(name, name !== "b"))
    const { modes, written } = modesOf(links)
    modes.say()
    modes.say()
    const { modes: later } = modesOf(links)
    for (const code of written) later.learn(event(code))

    expect(written).toEqual(["STANs of ours: a c d", "STANs of ours, too: e"])
    expect(links.map((link) => later.isOwn(desk(link.name, false)))).toEqual([true, false, true, true, true])
  })

  it("are today's where the journal does not say them", () => {
    const { modes } = modesOf([])

    expect([modes.isOwn(desk("a", true)), modes.isOwn(desk("a", false))]).toEqual([true, false])
  })

  it("are said again when they lie far behind, also where no link has any", () => {
    const { modes, written } = modesOf([desk("a", false)])
    modes.say()
    modes.sayAgain(15_000)
    modes.sayAgain(15_002)
    const { modes: later } = modesOf([])
    later.learn(event("STANs of ours: a"))
    later.learn(event(written[1]!))

    expect(written).toEqual(["STANs of ours:", "STANs of ours:"])
    expect(later.isOwn(desk("a", true))).toBe(false)
  })
})
