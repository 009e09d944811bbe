import { existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { answerTo, Line, until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, key, runSwitch } from "./program.ts"
import { pan, purchase } from "./swiped.ts"

afterEach(cleanUp)

/** A configuration whose journal holds some transactions, and a backup that was made between the first ten and the next ten. */
const backedUp = async () => {
  const directory = folder()
  const file = configuration(directory)
  const running = await runSwitch(file)
  const acquirer = await Line.connect(running.port("acquirer"))
  const issuer = await Line.connect(running.port("issuer"))
  await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
  const trade = async (from: number, to: number) => {
    for (let stan = from; stan <= to; stan++) {
      acquirer.send(purchase(stan))
      issuer.send(answerTo(await issuer.next(), "00"))
      await acquirer.next()
    }
  }
  await trade(1, 10)
  const to = join(directory, "backup")
  const [made] = await Promise.all([jinka(["journal", "backup", file, to]), trade(11, 20)])
  const again = await jinka(["journal", "backup", file, to])
  await running.stop()
  return { directory, file, to, made, again }
}

const exported = async (place: string, ...flags: ReadonlyArray<string>) =>
  (await jinka(["journal", "export", place, ...flags])).out.trimEnd().split("\n")

describe("A backup of a journal", () => {
  it("is made while the switch trades, is verified, can be looked at, and starts a switch where the journal was lost", async () => {
    const { directory, file, made, again, to } = await backedUp()

    const lines = await exported(to)
    const whole = await exported(file, "--form", "jsonl")
    const refused = await jinka(["journal", "restore", to, file])
    renameSync(join(directory, "journal"), join(directory, "lost"))
    const restored = await jinka(["journal", "restore", to, file])
    const copy = await jinka(["journal", "verify", to], { env: { JINKA_JOURNAL_KEY: key } })
    const verified = await jinka(["journal", "verify", file])
    const running = await runSwitch(file)
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
    acquirer.send(purchase(77))
    issuer.send(answerTo(await issuer.next(), "00"))
    await acquirer.next()
    const traced = await jinka(["trace", file, "--stan", "3"])
    await running.stop()

    expect(made).toMatchObject({ code: 0, err: "" })
    expect(made.out).toMatch(/^backed up into \S+: \d+ entries, every one as it was written\n$/)
    expect(again.code).not.toBe(0)
    expect(again.err).toContain("Name a directory that is empty, or not there yet.")
    expect(lines[0]).toMatch(/^exchange,at,kind,mti,stan,rrn,/)
    expect(lines.filter((line) => line.includes(",request,0200,")).length).toBeGreaterThanOrEqual(10)
    expect(whole.filter((line) => JSON.parse(line).kind === "request").length).toBe(20)
    expect([...lines, ...whole].filter((line) => line.includes(pan))).toEqual([])
    expect(refused.code).toBe(3)
    expect(refused.err).toContain("journal.db is there")
    expect(restored).toMatchObject({ code: 0, err: "" })
    expect(restored.out).toContain("What the switch did after this backup is not in it")
    expect([copy, verified]).toMatchObject([
      { code: 0, err: "" },
      { code: 0, err: "" }
    ])
    expect(traced.out).toContain("approved")
    expect(readdirSync(to).sort()).toEqual(["journal.db", "journal.head"])
    expect([to, join(to, "journal.db"), join(to, "journal.head")].map((one) => statSync(one).mode & 0o777)).toEqual([
      0o700, 0o600, 0o600
    ])
  })

  it("is made of a journal whose switch does not run, and is refused where it was spoilt or is none", async () => {
    const { directory, file, to } = await backedUp()
    const offline = join(directory, "offline")
    const nothing = join(directory, "nothing")
    mkdirSync(nothing)
    writeFileSync(join(nothing, "journal.db"), "no database")

    const made = await jinka(["journal", "backup", file, offline])
    const restoredNothing = await jinka(["journal", "restore", nothing, file])
    const intoNowhere = await jinka(["journal", "backup", file, "/proc/jinka"])
    const within = await jinka(["journal", "backup", file, join(directory, "journal", "backup")])
    const verified = await jinka(["journal", "verify", offline], { env: {} })

    expect(made.code).toBe(0)
    expect(restoredNothing.code).not.toBe(0)
    expect(restoredNothing.err).not.toContain("defect")
    expect(intoNowhere.code).not.toBe(0)
    expect(intoNowhere.err).not.toContain("defect")
    expect(intoNowhere.err).toContain("DirectoryUnusable: /proc/jinka: The copy cannot be written: ENOENT")
    expect(existsSync("/proc/jinka")).toBe(false)
    expect(within.code).not.toBe(0)
    expect(within.err).toContain("Name a directory elsewhere, best on another disk.")
    expect(existsSync(join(directory, "journal", "backup"))).toBe(false)
    expect(verified.code).toBe(1)
    expect(verified.err).toContain("not proved")
    expect(readdirSync(to).sort()).toEqual(["journal.db", "journal.head"])
  })
})
