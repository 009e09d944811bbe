import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { isEmpty, planOf } from "../../../packages/switch/src/operate/configuration/Plan.ts"
import { configurationOf, sound } from "./checked.ts"

/** The sound one with a line added to its first link. */
const withLink = (line: string) => sound.replace("    dialect: cups\n", `    dialect: cups\n    ${line}\n`)

const planned = async (after: string, before = sound) =>
  Effect.runPromise(planOf(await configurationOf(before), await configurationOf(after)))

const third = `  - name: third
    institution: "01030000"
    dialect: cups
    connect: { host: 127.0.0.1, port: 7003 }
`

const nothing = {
  added: [],
  removed: [],
  changed: [],
  groups: [],
  routes: [],
  limits: [],
  doors: [],
  admin: [],
  restart: []
}

describe("The plan of a reload", () => {
  it.each<readonly [string, string, object]>([
    ["nothing for the same file", sound, {}],
    ["nothing for a comment", `# changed\n${sound}`, {}],
    ["nothing for a default that is written out", withLink("window: 2048"), {}],
    ["nothing for a key that is only checked", withLink("partnerTimeout: 3 seconds"), {}],
    ["a link that is new", sound.replace("routes:", `${third}routes:`), { added: ["third"] }],
    ["a link's window", withLink("window: 64"), { changed: [{ name: "acquirer", what: ["window: 2048 becomes 64"] }] }],
    [
      "a link's nested key",
      withLink("watchdog: { interval: 10 seconds }"),
      { changed: [{ name: "acquirer", what: ["watchdog.interval: 30 seconds becomes 10 seconds"] }] }
    ],
    [
      "the other side that dials",
      sound.replace("connect: { host: 127.0.0.1, port: 7002 }", "listen: { port: 7002, from: [127.0.0.1] }"),
      { changed: [{ name: "issuer", what: ["connect changes", "listen changes"] }] }
    ],
    [
      "a route that is new",
      sound.replace("routes:", 'routes:\n  - { institution: "01030000", to: issuer }'),
      { routes: ["institution 01030000 to issuer: added"] }
    ],
    [
      "a route's link",
      sound.replace("to: issuer", "to: acquirer"),
      { routes: [expect.stringMatching(/^card numbers \d+\.\.\.: issuer becomes acquirer$/)] }
    ],
    [
      "a group that is new, with a second link to the issuer",
      sound.replace(
        "routes:",
        `${third.replace("01030000", "01020000")}groups:\n  - { name: both, members: [{ link: issuer }, { link: third }] }\nroutes:`
      ),
      { added: ["third"], groups: ["both: added"] }
    ],
    [
      "a door and the operators' listener",
      `${sound}doors: [{ name: front, by: header, listen: { port: 7000 } }]\nadmin: { listen: { port: 7100 } }\n`,
      { doors: ["front: added"], admin: ["admin changes"] }
    ],
    [
      "times of the whole switch",
      `${sound}requestTimeout: 12 seconds\ndrainTimeout: 15 seconds\n`,
      { limits: ["drainTimeout: 10 seconds becomes 15 seconds", "requestTimeout: 10 seconds becomes 12 seconds"] }
    ],
    [
      "a limit of the journal",
      sound.replace("./journal", "./journal, unwrittenRefuse: 8 MiB"),
      { limits: ["journal.unwrittenRefuse: 16 MiB becomes 8 MiB"] }
    ],
    ["the journal's directory: restart", sound.replace("./journal", "./other"), { restart: [/^journal.directory/] }],
    ["the journal's key: restart", sound.replace(/env: \w+/, "env: ANOTHER_KEY"), { restart: [/^journal.key/] }],
    ["the name: restart", sound.replace("name: demo", "name: other"), { restart: ["name"] }],
    ["the control socket: restart", `${sound}control: { directory: ./run }\n`, { restart: ["control"] }],
    ["the memory of requests: restart", `${sound}recentRequests: 5000\n`, { restart: [/^recentRequests/] }]
  ])("has %s", async (_, after, expected) => {
    const plan = await planned(after)
    const restart = "restart" in expected ? expected.restart : []
    const { unchanged: _unchanged, restart: named, ...rest } = plan

    expect({ ...rest, restart: [] }).toEqual({ ...nothing, ...expected, restart: [] })
    expect(named).toHaveLength((restart as ReadonlyArray<unknown>).length)
    for (const [at, one] of (restart as ReadonlyArray<string | RegExp>).entries()) expect(named[at]).toMatch(one)
  })

  it("needs a restart for our institution code, which is in every link", async () => {
    const plan = await planned(sound.replace('institution: "00010000"', 'institution: "00010001"'))

    expect(plan.restart).toEqual(["institution (it is in every link)"])
  })

  it("counts the links that keep their connection", async () => {
    const added = await planned(sound.replace("routes:", `${third}routes:`))
    const removed = await planned(sound, sound.replace("routes:", `${third}routes:`))

    expect(added.unchanged).toBe(2)
    expect(removed).toMatchObject({ unchanged: 2, removed: ["third"], added: [] })
    expect(isEmpty(removed)).toBe(false)
    expect(isEmpty(await planned(sound))).toBe(true)
  })

  it("never shows where a key comes from", async () => {
    const plan = await planned(sound.replace(/env: \w+/, "file: secret-place"))

    expect(JSON.stringify(plan)).not.toContain("secret-place")
  })
})
