/** Files that a command cannot use: what each is in words, what to do, and an exit code that is not 0. */
import { createHash } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { sound } from "./checked.ts"
import { cleanUp, configuration, folder, jinka, runSwitch } from "./program.ts"

afterEach(cleanUp)

const written = (text: string): string => {
  const file = join(folder(), "given")
  writeFileSync(file, text)
  return file
}

describe("A file that cannot be used", () => {
  it("is named as what it is where a message is read as a link of it reads it, too", async () => {
    const directory = folder()
    const spoilt = join(directory, "spoilt.yaml")
    writeFileSync(spoilt, "name: demo\n\tlinks: []\n")

    for (const command of ["decode", "encode"]) {
      const wrong = await jinka([command, "--link", `${spoilt}:issuer`], { input: "00" })
      const gone = await jinka([command, "--link", `${directory}/gone.yaml:issuer`], { input: "00" })

      expect([wrong.code, wrong.out]).toEqual([2, ""])
      expect(wrong.err).toMatch(/spoilt\.yaml:2:\d+ error: /)
      expect([gone.code, gone.err]).toEqual([2, expect.stringContaining("gone.yaml: there is no such file.")])
    }
  })

  it("is no hindrance to reading a message where none of its mistakes is about the link's dialect and frame", async () => {
    const file = join(folder(), "switch.yaml")
    const message = "000D08000020000000000000000001"
    const say = async (text: string, link = "issuer") => {
      writeFileSync(file, text)
      return jinka(["decode", message, "--link", `${file}:${link}`])
    }
    const raw = sound.replaceAll("dialect: cups", "dialect: iso8583v1987Bcd")
    const [elsewhere, frame, dialect] = [
      await say(raw.replace("7001", "70010").replace('institution: "00010000"', "")),
      await say(
        raw.replace("connect: {", "frame: { kind: length, encoding: binary, bytes: 9, lengthMax: 10 }\n    connect: {")
      ),
      await say(raw.replace(/iso8583v1987Bcd(?=[^i]*connect)/, "iso8583v1987"))
    ]

    expect(elsewhere.err).toContain("none of them is about the dialect and frame of issuer")
    expect(elsewhere.code).toBeLessThan(2)
    expect([frame.code, frame.err]).toEqual([2, expect.stringContaining("links[1].frame")])
    expect([dialect.code, dialect.err]).toEqual([2, expect.stringContaining("links[1].dialect")])
  })

  it("names the links of a group or of a door, where one is given in place of a link", async () => {
    const of = (place: string) => jinka(["decode", "0800822000008000000004", "--link", place])
    const group = await of("examples/09-groups/switch.yaml:issuer")
    const door = await of("examples/08-many-institutions/switch.yaml:plain")

    expect([group.code, group.err]).toEqual([2, expect.stringContaining("say issuer-a or issuer-b")])
    expect([door.code, door.err]).toEqual([2, expect.stringContaining("say bank-c or bank-d")])
  })

  const directory = (): string => {
    const made = join(folder(), "given")
    mkdirSync(made)
    return made
  }
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>, () => string, number, string]> = [
    ["a folder as a configuration", ["check"], directory, 2, ": it is a directory. Give the path of"],
    ["an empty configuration", ["check"], () => written(""), 2, "error: the file is empty. Begin with a copy of"],
    [
      "a text as a configuration",
      ["status"],
      () => written("just text"),
      2,
      "the file is no configuration: it has no keys"
    ],
    ["an empty capture", ["decode"], () => written(""), 1, "holds no message"],
    ["a folder as a capture", ["decode"], directory, 2, "cannot be read: it is a directory"],
    ["a folder as a dialect", ["dialect", "check"], directory, 2, "cannot be read: it is a directory"],
    ["a file as the folder of the reference", ["reference"], () => written(""), 2, "it is a file and not a directory"]
  ]
  for (const [name, command, make, exit, words] of cases) {
    it(`${name} is named as what it is`, async () => {
      const { code, out, err } = await jinka([...command, make()])

      expect(err).toContain(words)
      expect([code, out]).toEqual([exit, ""])
    })
  }

  it("a frame that cannot be read is said once, not again at the end of the capture", async () => {
    const { code, out, err } = await jinka([
      "decode",
      "--frame",
      "cups",
      "--form",
      "binary",
      written("no frame at all")
    ])

    expect(out.trim().split("\n")).toHaveLength(1)
    expect(err).toContain("1 message is wrong.")
    expect(code).toBe(1)
  })

  it("a journal is read without its key, and with another key in the environment, where the key is not needed", async () => {
    const file = configuration(folder())
    await (await runSwitch(file)).stop()
    const env = { JINKA_TEST_KEY: createHash("sha256").update("another key").digest("hex") }
    const trace = await jinka(["trace", file, "--stan", "1"], { env })
    const summary = await jinka(["journal", "summary", file], { env })

    const byCard = await jinka(["trace", file, "--pan", "6200000000000005"], { env })

    expect([trace.code, trace.err]).toEqual([1, "jinka: No transaction in this journal has these keys.\n"])
    expect([summary.code, summary.err]).toEqual([0, ""])
    expect([byCard.code, byCard.err]).toEqual([3, expect.stringContaining("KeyWrong")])
  })

  it("a journal whose switch runs, or that no switch has made yet, is not taken for a broken one", async () => {
    const file = configuration(folder())
    const before = await jinka(["journal", "verify", file])
    const running = await runSwitch(file)
    const meanwhile = await jinka(["journal", "summary", file])
    await running.stop()

    expect(before.err).toContain("no switch has run with this configuration yet")
    expect(meanwhile.err).toContain("Its switch is running, and nobody else may open the journal meanwhile.")
    expect([before.code, meanwhile.code]).toEqual([3, 3])
  })
})
