import { describe, expect, it } from "vitest"
import { configurationText } from "../../../packages/switch/src/operate/ConfigurationText.ts"
import { configurationOf, pathsOf, saidOf } from "./checked.ts"

/** A configuration with an acquirer, two links to one issuer, and a group of these; lines of the group are given. */
const withGroup = (...lines: ReadonlyArray<string>): string => `name: demo
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_TEST_KEY } }
links:
  - { name: acquirer, institution: "48020000", dialect: cups, listen: { port: 7001, from: [127.0.0.1] } }
  - { name: issuer-a, institution: "01020000", dialect: cups, connect: { host: a.example, port: 7002 } }
  - { name: issuer-b, institution: "01020000", dialect: cups, connect: { host: b.example, port: 7002 } }
groups:
  - name: issuer
    members: [{ link: issuer-a }, { link: issuer-b }]
${lines.map((line) => `    ${line}\n`).join("")}routes:
  - { bin: "621234", to: issuer }
  - { institution: "48020000", to: acquirer }
`

const changed = (from: string, to: string, ...lines: ReadonlyArray<string>): string => {
  const text = withGroup(...lines)
  expect(text).toContain(from)
  return text.replace(from, to)
}

describe("A group in the configuration", () => {
  it("is a destination behind the links, with its defaults", async () => {
    const { settings, warnings } = await configurationOf(withGroup())

    expect(warnings).toEqual([])
    expect(settings.groups).toEqual([
      {
        name: "issuer",
        members: [
          { link: 1, name: "issuer-a", weight: 1 },
          { link: 2, name: "issuer-b", weight: 1 }
        ],
        use: "primary-backup",
        by: [],
        failbackMs: 300_000,
        fallTogether: false
      }
    ])
    expect(settings.routes).toEqual([
      { bin: "621234", to: 3 },
      { institution: "48020000", to: 0 }
    ])
  })

  it("takes weights, sticky data elements, another quiet time and the CUPS rule", async () => {
    const text = changed(
      "{ link: issuer-b }",
      "{ link: issuer-b, weight: 3 }",
      "use: sticky",
      "by: [41, 42]",
      "fall: together"
    )
    const configuration = await configurationOf(text)

    expect(configuration.settings.groups?.[0]).toMatchObject({ use: "sticky", by: [41, 42], fallTogether: true })
    expect(configurationText(configuration)).toContain(
      "issuer: sticky by DE 41, 42 of issuer-a, issuer-b (weight 3); failback after 300 s; all fall together"
    )
  })

  it.each<readonly [string, string, ReadonlyArray<string>]>([
    ["a member that is no link", changed("link: issuer-b", "link: isuer-b"), ["groups[0].members[1].link"]],
    ["a link twice in a group", changed("link: issuer-b", "link: issuer-a"), ["groups[0].members[1].link"]],
    [
      "a link in two groups",
      changed("routes:", "  - { name: other, members: [{ link: issuer-b }] }\nroutes:"),
      ["groups[1].members[0].link"]
    ],
    [
      "the name of a link",
      changed("  - name: issuer\n", "  - name: acquirer\n").replace("to: issuer ", "to: acquirer "),
      ["groups[0].name"]
    ],
    [
      "members of two institutions",
      changed('name: issuer-b, institution: "01020000"', 'name: issuer-b, institution: "01030000"'),
      ["groups[0].members[1]"]
    ],
    [
      "members of two dialects",
      changed(
        'name: issuer-b, institution: "01020000", dialect: cups',
        'name: issuer-b, institution: "01020000", dialect: unionPayPos'
      ),
      ["groups[0].members[1]"]
    ],
    [
      "short links that fall together",
      changed("name: issuer-b,", "name: issuer-b, mode: sync-short,", "fall: together"),
      ["groups[0].fall"]
    ],
    [
      "members that count their STANs differently",
      changed("name: issuer-b,", "name: issuer-b, stan: own,"),
      ["groups[0].members[1]"]
    ],
    ["sticky members without data elements", withGroup("use: sticky"), ["groups[0].use"]],
    ["data elements without sticky members", withGroup("by: [2]"), ["groups[0].by"]],
    ["a data element that the dialect has not", withGroup("use: sticky", "by: [65]"), ["groups[0].by[0]"]],
    [
      "more data elements than a key is made of",
      withGroup("use: sticky", "by: [2, 3, 4, 7, 11, 41, 42]"),
      ["groups[0].by"]
    ],
    [
      "a group without members",
      changed("members: [{ link: issuer-a }, { link: issuer-b }]", "members: []"),
      ["groups[0].members"]
    ],
    ["a route to nowhere", changed("to: issuer }", "to: isuer }"), ["routes[0].to"]]
  ])("is refused with %s", async (_, text, paths) => {
    expect(await pathsOf(text, "error")).toEqual(paths)
  })

  it("warns of a weight that means nothing", async () => {
    expect(await pathsOf(changed("{ link: issuer-b }", "{ link: issuer-b, weight: 3 }"), "warning")).toEqual([
      "groups[0].members[1].weight"
    ])
  })

  it("is refused when one member keeps the callers' STANs and the other gives its own", async () => {
    expect(await pathsOf(changed("name: issuer-b,", "name: issuer-b, stan: own,"), "error")).toEqual([
      "groups[0].members[1]"
    ])
    const both = changed("name: issuer-b,", "name: issuer-b, stan: callers,")
    expect(await pathsOf(both, "error")).toEqual([])
  })

  it("says why its members must be alike", async () => {
    expect(
      await saidOf(changed('name: issuer-b, institution: "01020000"', 'name: issuer-b, institution: "01030000"'))
    ).toContainEqual(
      expect.stringContaining(
        "the members of a group have the same `institution`: a reversal has to reach the institution that got its request. Give issuer-b the `institution` of the first member."
      )
    )
  })
})
