import { describe, expect, it } from "vitest"
import { configurationOf, saidOf, sound } from "./checked.ts"

/** The sound configuration with other lines for where its first link connects, and more lines for it. */
const withLink = (side: string, ...lines: ReadonlyArray<string>): string => {
  const link = /^ {4}listen: .*\n(?: {6}.*\n)*/m
  expect(sound).toMatch(link)
  return sound.replace(link, [side, ...lines].map((line) => `    ${line}\n`).join(""))
}

const listen = "listen: { host: 127.0.0.1, port: 7001, from: [127.0.0.1] }"
const connect = "connect: { host: 127.0.0.1, port: 7003 }"

describe("The modes of a link", () => {
  it("make settings: a short link has neither watchdog nor idle frames nor sign-on", async () => {
    const { settings } = await configurationOf(
      withLink(listen, "mode: sync-short", "short: { keep: true, idle: 30 seconds }", "callers: [41, 42]")
    )
    expect(settings.links[0]).toMatchObject({
      mode: "sync-short",
      short: { dial: undefined, keep: true, firstMessageMs: 5000, idleMs: 30_000, connectionsMax: 1024 },
      idleMs: 0,
      watchdog: { intervalMs: 0, probe: false, proofs: 0 },
      callers: [41, 42],
      stan: "callers",
      waiting: { places: 0, waitMs: 0 }
    })
  })

  it("make settings: sync-long has a window of one and a line, async-short dials and listens", async () => {
    const long = await configurationOf(withLink(connect, "mode: sync-long", "wait: 2 seconds", "stan: own"))
    const short = await configurationOf(withLink(listen, connect, "mode: async-short"))

    expect(long.settings.links[0]).toMatchObject({ window: 1, waiting: { places: 256, waitMs: 2000 }, stan: "own" })
    expect(short.settings.links[0]).toMatchObject({
      side: { _tag: "listen" },
      short: { dial: { _tag: "connect", to: { host: "127.0.0.1", port: 7003 } } }
    })
  })

  it.each([
    [
      "a watchdog of a short link",
      [listen, "mode: sync-short", "watchdog: { proofs: 1 }"],
      "`watchdog` is for long connections; sync-short opens one for each exchange. Remove `watchdog`"
    ],
    [
      "a sign-on of a short link",
      [connect, "mode: sync-short", "signOn: { send: true }"],
      "`signOn` is for long connections"
    ],
    [
      "idle frames of a short link",
      [connect, "mode: sync-short", "idle: 30 seconds"],
      "`idle` is for long connections"
    ],
    [
      "a second connection's rule of a short link",
      ["listen: { port: 7001, second: replace }", "mode: sync-short"],
      "`listen.second` is for long connections"
    ],
    [
      "short limits of a long link",
      [listen, "short: { keep: true }"],
      "`short` is for the modes sync-short and async-short; this link is async-duplex"
    ],
    [
      "limits of connections that a link does not take",
      [connect, "mode: sync-short", "short: { connections: 5 }"],
      "`short.connections` is about connections that the partner makes, and this link only dials"
    ],
    [
      "a connection that closes before its answer",
      [listen, "mode: sync-short", "short: { idle: 10 seconds }"],
      "links[0].short.idle: a connection stays open longer than `requestTimeout`"
    ],
    [
      "until-close on a long connection",
      [listen, "frame: { kind: until-close, lengthMax: 2000 }"],
      "links[0].frame.kind: the frame until-close ends a message with the connection, and async-duplex sends more than one on it"
    ],
    [
      "until-close on kept connections",
      [listen, "mode: sync-short", "frame: { kind: until-close, lengthMax: 2000 }", "short: { keep: true }"],
      "a connection carries one message each way"
    ],
    [
      "single reads on a duplex connection",
      [listen, "frame: { kind: single-read, lengthMax: 2000 }"],
      "the frame single-read takes each read for a message"
    ],
    [
      "async-short with one side",
      [listen, "mode: async-short"],
      "it has `connect`, and `listen` or `door`. Add `connect:`"
    ],
    [
      "a window of sync-long",
      [connect, "mode: sync-long", "window: 5"],
      "links[0].window: with sync-long one request is outstanding at a time"
    ],
    ["places in a line that nobody may be in", [connect, "waiting: 5"], "nobody waits on this link: `wait` is never"],
    [
      "a wait as long as a request may take",
      [connect, "wait: 10 seconds"],
      "links[0].wait: a request waits shorter than `requestTimeout`"
    ],
    ["a caller's field that is none", [listen, "mode: sync-short", "callers: [4]"], "links[0].callers[0]"]
  ])("refuse %s, with the place, the rule and what to write", async (_, [side = "", ...lines], rule) => {
    const said = await saidOf(withLink(side, ...lines))
    expect(said.filter((line) => line.includes(rule)).length, said.join("\n")).toBe(1)
  })
})
