import { describe, expect, it } from "vitest"
import { configurationText } from "../../../packages/switch/src/operate/ConfigurationText.ts"
import { configurationOf, pathsOf, saidOf, sound } from "./checked.ts"

const alone = "    connect: { host: 127.0.0.1, port: 7002 }\n"
const legs = (...lines: ReadonlyArray<string>): string => {
  expect(sound).toContain(alone)
  return sound.replace(alone, ["mode: async-simplex", "legs:", ...lines].map((line) => `    ${line}\n`).join(""))
}
const send = "  send: { connect: { host: 10.0.0.5, port: 38002 } }"
const receive = "  receive: { listen: { port: 38002, from: [10.0.0.5], second: replace } }"

describe("A link of two legs in the configuration", () => {
  it("becomes a sending and a receiving side, with their defaults", async () => {
    const { settings, warnings } = await configurationOf(legs(send, receive))

    expect(warnings).toEqual([])
    expect(settings.links[1]?.side).toMatchObject({
      _tag: "legs",
      send: { _tag: "connect", to: { host: "10.0.0.5", port: 38002 }, timeoutMs: 10_000 },
      receive: { _tag: "listen", at: { host: "0.0.0.0", port: 38002 }, from: ["10.0.0.5"], second: "replace" },
      timeoutMs: 60_000,
      collectMs: 0
    })
  })

  it("may collect late answers, and wait shorter or longer for the other leg", async () => {
    const { settings } = await configurationOf(legs(send, receive, "  timeout: 40 seconds", "  collect: 2 seconds"))

    expect(settings.links[1]?.side).toMatchObject({ timeoutMs: 40_000, collectMs: 2000 })
  })

  it("is told with both legs by `jinka check`", async () => {
    const text = configurationText(await configurationOf(legs(send, receive)))

    expect(text).toContain(
      "send leg: we connect to 10.0.0.5:38002, receive leg: the partner connects to 0.0.0.0:38002, from 10.0.0.5"
    )
  })

  it.each<readonly [string, string, ReadonlyArray<string>]>([
    [
      "legs in another mode",
      legs(send, receive).replace("mode: async-simplex", "mode: async-duplex"),
      ["links[1].legs"]
    ],
    ["the mode without legs", sound.replace(alone, "    mode: async-simplex\n"), ["links[1]"]],
    [
      "a side of its own beside its legs",
      legs(send, receive, alone.trim()).replace(`    ${alone.trim()}`, alone),
      ["links[1].connect"]
    ],
    ["a missing leg", legs(send), ["links[1].legs.receive"]],
    ["a leg made by nobody", legs("  send: {}", receive), ["links[1].legs.send"]],
    [
      "a leg made by both sides",
      legs("  send: { connect: { host: a, port: 1 }, listen: { port: 1 } }", receive),
      ["links[1].legs.send"]
    ],
    [
      "a leg that listens where another link does",
      legs(send, "  receive: { listen: { port: 7001 } }"),
      ["links[1].legs.receive.listen.port"]
    ]
  ])("refuses %s", async (_, text, paths) => {
    expect(await pathsOf(text, "error")).toEqual(paths)
  })

  it.each<readonly [string, string, ReadonlyArray<string>]>([
    [
      "a leg that anybody could take over",
      legs(send, "  receive: { listen: { port: 38002, second: replace } }"),
      ["links[1].legs.receive.listen", "links[1].legs.receive.listen.second"]
    ],
    [
      "a leg that is closed while the other only pauses",
      legs(send, receive, "  timeout: 10 seconds"),
      ["links[1].legs.timeout"]
    ]
  ])("warns of %s", async (_, text, paths) => {
    expect(await pathsOf(text, "warning")).toEqual(paths)
  })

  it("says what to write instead", async () => {
    expect(await saidOf(sound.replace(alone, `${alone}    legs: { send: {}, receive: {} }\n`))).toContainEqual(
      expect.stringContaining("only an async-simplex link has legs. Write `mode: async-simplex`.")
    )
  })
})
