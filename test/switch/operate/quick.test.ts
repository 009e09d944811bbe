import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { questionOf } from "../../../packages/switch/src/operate/quick/Question.ts"
import { quickAnswer } from "../../../packages/switch/src/operate/quick/Quick.ts"
import { loadedBy } from "../Loads.ts"

const root = fileURLToPath(new URL("../../../", import.meta.url))

describe("the quick answer", () => {
  it("loads nothing but itself and Node: the rest takes longer than the answer", () => {
    const loaded = [...loadedBy("packages/switch/src/main.ts")]

    expect(
      loaded.filter((name) => !name.startsWith("packages/switch/src/operate/") && !name.startsWith("node:"))
    ).toEqual([])
    expect(loaded).toContain("packages/switch/src/operate/control/StatusText.ts")
    expect([...loadedBy("packages/switch/src/Program.ts")]).toContain("effect")
  })

  it("is given to the plain forms of status and trace", () => {
    const plain = { placeIs: "file", link: "", keys: {}, isJson: false }

    expect(questionOf(["status", "a.yaml"])).toEqual({ ...plain, what: "status", place: "a.yaml" })
    expect(questionOf(["status", "a.yaml", "issuer", "--json"])).toEqual({
      ...plain,
      what: "link",
      place: "a.yaml",
      link: "issuer",
      isJson: true
    })
    expect(questionOf(["status", "--control", "/run/jinka"])).toEqual({
      ...plain,
      what: "status",
      place: "/run/jinka",
      placeIs: "control"
    })
    expect(questionOf(["trace", "--stan", "004711", "a.yaml", "--rrn", "R 1"])).toEqual({
      ...plain,
      what: "trace",
      place: "a.yaml",
      keys: { stan: "4711", rrn: "R 1" }
    })
    // The STAN of the 2003 edition has twelve digits.
    expect(questionOf(["trace", "a.yaml", "--stan", "000001234567"])?.keys).toEqual({ stan: "1234567" })
  })

  it("leaves every other form to the program, and whatever cannot be had", async () => {
    const others = [
      "",
      "status",
      "run a.yaml",
      "status a.yaml b c",
      "status a.yaml --help",
      "status a.yaml --json --json",
      "status a.yaml --stan 1",
      "status --control /run/jinka issuer",
      "trace a.yaml",
      "trace a.yaml --stan",
      "trace a.yaml --stan -1",
      "trace a.yaml --stan 1000000000000",
      "trace a.yaml --rrn --json",
      "trace a.yaml --pan 6222021234567890128",
      "trace a.yaml b.yaml --stan 1",
      "stop a.yaml"
    ]

    for (const line of others) expect([line, questionOf(line.split(" "))]).toEqual([line, undefined])

    for (const place of ["/nowhere/a.yaml", root, join(root, "package.json"), join(root, "README.md")]) {
      expect(await quickAnswer(["status", place], process.pid)).toBeUndefined()
      expect(await quickAnswer(["trace", place, "--stan", "1"], process.pid)).toBeUndefined()
    }
  })
})
