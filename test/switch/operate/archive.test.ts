/** Old days of a journal as an operator has them archived, dropped and brought back. */
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { compile, cups } from "@jinka/codec"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { withJournal, write } from "../journal/Journals.ts"
import { until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, key, runSwitch } from "./program.ts"
import { pan, purchase } from "./swiped.ts"

afterEach(cleanUp)

const DAY_MS = 86_400_000
const env = { JINKA_JOURNAL_KEY: key }

/** A configuration whose journal has exchanges of `days`, counted from today; each has a STAN of its number. */
const tradedOn = async (days: ReadonlyArray<number>, change: (whole: string) => string = (whole) => whole) => {
  const directory = folder()
  const file = configuration(directory, change)
  await Effect.runPromise(
    withJournal(join(directory, "journal"), ({ drained, nameId, writer }) =>
      Effect.gen(function* () {
        const link = nameId("acquirer", "cups")
        for (const [n, day] of days.entries()) {
          writer.now = Date.now() + day * DAY_MS
          writer.floor = 0
          const exchange = write(writer, { link, code: "issuer", message: bytesOf(n + 1), pan })
          write(writer, { kind: EntryKind.timedOut, link, exchange, code: "timeout" })
          yield* drained
        }
      })
    )
  )
  return { directory, file, archive: join(directory, "archive") }
}

const codec = compile(cups)
const bytesOf = (stan: number): Buffer => {
  const bytes = codec.encode(purchase(stan))
  if (!Buffer.isBuffer(bytes)) throw new Error("the test message does not encode")
  return bytes
}

const day = (back: number): string => new Date(Date.now() - back * DAY_MS).toISOString().slice(0, 10)

describe("The archive of a journal on the command line", () => {
  it("takes days of a journal whose switch does not run, and gives them back to be traced, verified and exported", async () => {
    const { archive, directory, file } = await tradedOn([-9, -8, -3, 0])
    const back = join(directory, "back")

    const made = await jinka(["journal", "archive", file, "--to", archive, "--before", day(5)])
    const restored = await jinka(["journal", "restore", archive, back], { env })
    const verified = await jinka(["journal", "verify", back], { env })
    const traced = await jinka(["trace", back, "--stan", "2"], { env })
    const exported = await jinka(["journal", "export", back, "--form", "jsonl"], { env })
    const whole = await jinka(["journal", "verify", file])

    expect(made).toMatchObject({ code: 0, err: "" })
    expect(made.out).toMatch(/^archived 5 entries, verified: \S+jinka-[0-9a-f]{8}-\d{4}-\d\d-\d\d-1-5\.db\.gz\n$/)
    expect(restored.out).toContain("restored 1 file of an archive into")
    expect(restored.out).toContain("5 entries, every one as it was written")
    expect(restored.out).toContain("no switch starts in it")
    expect(verified.out).toBe("good: 5 entries in 2 groups, every one as it was written\n")
    expect(traced.out).toContain("STAN 000002")
    expect(exported.out.trimEnd().split("\n").length).toBe(2)
    expect(whole.out).toContain("good: 9 entries")
    expect(readdirSync(archive).map((name) => statSync(join(archive, name)).mode & 0o777)).toEqual([0o600])
  })

  it("is refused with what to do where nothing is asked for, nobody can say what has not ended, or there is no archive", async () => {
    const { archive, directory, file } = await tradedOn([-9, 0])
    mkdirSync(archive)
    const odd = join(archive, `jinka-01234567-${day(9)}-1-3.db.gz`)
    writeFileSync(odd, "nothing")

    const nothing = await jinka(["journal", "archive", file])
    const dropped = await jinka(["journal", "archive", file, "--drop"])
    const noDay = await jinka(["journal", "archive", file, "--to", archive, "--before", "last week"])
    const noKey = await jinka(["journal", "archive", join(directory, "journal"), "--to", archive], { env: {} })
    const early = await jinka(["journal", "archive", file, "--to", archive, "--before", day(30)])
    const spoilt = await jinka(["journal", "restore", archive, join(directory, "back")], { env })
    const none = await jinka(["journal", "restore", join(directory, "nowhere"), file])
    const without = await tradedOn([0], (text) => text.replace("reserve: 1 MiB", "reserve: 1 MiB, archive: ./archive"))
    const checked = await jinka(["check", without.file])

    expect(nothing.err).toContain("Say what to do: --to DIRECTORY, --drop, or both.")
    expect(dropped.err).toContain("Only a running switch drops entries")
    expect(noDay.err).toContain("a day is written such as 2026-09-01")
    expect(noKey.code).toBe(2)
    expect(early.out).toBe("there is no whole day before that which may go\n")
    expect([nothing, dropped, noDay, spoilt, none].map(({ code }) => code)).not.toContain(0)
    for (const { err } of [spoilt, none]) expect(err).not.toMatch(/defect|at .*\.ts/)
    expect(checked.err + checked.out).toContain("an archive takes what is dropped, and without `keep` nothing is")
  })

  it("fills by itself while a switch with `journal.keep` runs, which then has what is younger, and the rest by hand", async () => {
    const { archive, directory, file } = await tradedOn([-90, -60, -5, -1], (text) =>
      text.replace("reserve: 1 MiB", "reserve: 1 MiB, keep: 30 days, archive: ./archive")
    )
    const running = await runSwitch(file)
    const isYounger = async () => ((await running.status()).retention?.since ?? "") >= day(31)
    await until(isYounger, "what is older than 30 days is archived")
    const status = await running.status()
    const byHand = await jinka([
      "journal",
      "archive",
      file,
      "--to",
      archive,
      "--before",
      day(3),
      "--drop",
      "--reason",
      "disk is full"
    ])
    const traced = await jinka(["trace", file, "--stan", "3"])
    const differing = await jinka(["trace", file, "--stan", "4", "--diff"])
    const why = await jinka(["why", file])
    await running.stop()
    const whyOf = await jinka(["why", file, "--stan", "4"])
    const verified = await jinka(["journal", "verify", file])
    const back = await jinka(["journal", "restore", archive, join(directory, "back")], { env })
    const old = await jinka(["trace", join(directory, "back"), "--stan", "1"], { env })

    expect(status.retention).toMatchObject({ keepDays: 30, heldBy: "", trouble: "" })
    expect(byHand.err).toBe("")
    expect(byHand.out).toMatch(
      /^archived 2 entries, verified: \S+\ndropped 2 entries; that room is free for new ones\n/
    )
    expect(existsSync(archive)).toBe(true)
    expect(readdirSync(archive).length).toBe(3)
    expect(traced.code).toBe(1)
    expect(differing.out).toContain("request, acquirer to issuer: ")
    expect(differing.out).toContain("the header names us and 01020000")
    expect(differing.out).not.toContain(pan)
    expect(why).toMatchObject({ code: 0, out: "Every answer has found its request.\n" })
    expect(whyOf).toMatchObject({ code: 1, err: "jinka: No late or unmatched answer has these keys.\n" })
    expect(verified.out).toContain("what was before it was dropped, and its last hash is kept")
    expect(back.out).toContain("restored 3 files of an archive")
    expect(old.out).toContain("STAN 000001")
    expect(running.err()).toContain("dropping entries 1 to")
  })
})
