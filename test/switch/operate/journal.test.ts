/** `jinka journal`: what an auditor and an operator hear of a journal. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { messageOf, withJournal, write } from "../journal/Journals.ts"
import { Line, until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, key, runSwitch, runSwitchUnder } from "./program.ts"

afterEach(cleanUp)

const env = { JINKA_JOURNAL_KEY: key }

/** Writes ten entries into the journal of a directory. */
const fill = (directory: string): Promise<void> =>
  Effect.runPromise(
    withJournal(directory, ({ writer, drained }) => {
      for (let n = 0; n < 10; n++) write(writer, { message: messageOf(n) })
      return drained
    })
  )

describe("jinka journal", () => {
  it("says the anchor while the switch runs; afterwards the journal is good, and the anchors of its log agree", async () => {
    const directory = folder()
    const file = configuration(directory)
    const running = await runSwitch(file)
    const anchor = await jinka(["journal", "anchor", file])
    // A connection is an entry: the journal's end is another one than its beginning.
    const issuer = await Line.connect(running.port("issuer"))
    await until(async () => (await running.status()).links[1]!.ready, "the issuer is ready")
    running.signal("SIGINT")
    issuer.close()
    const log = join(directory, "switch.log")
    const { err } = await running.ended
    writeFileSync(log, err)

    const verified = await jinka(["journal", "verify", file, "--anchor", log])
    writeFileSync(log, `${err}${anchor.out.slice(0, 80)}***\n`)
    const corrupt = await jinka(["journal", "verify", file, "--anchor", log])

    expect(corrupt.out).toContain("2 anchors kept elsewhere agree; 1 anchor is not whole, and nothing is known by that")
    expect(anchor.out).toMatch(/^jinka-anchor:4:[a-p]{32}:\d+:[a-p]{64}:[a-p]{72}\n$/)
    expect(verified).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /^good: \d+ entries in \d+ groups, every one as it was written; 2 anchors kept elsewhere agree\n$/
      )
    })
  })

  it("keeps its key out of diagnostic reports, its files its owner's alone, and says what it closed to others", async () => {
    const directory = folder()
    const file = configuration(directory)
    const journal = join(directory, "journal")
    mkdirSync(journal, { mode: 0o755 })
    const options = `NODE_OPTIONS=--report-on-signal --report-directory=${directory} --report-filename=report.json`
    const running = await runSwitchUnder(["bash", "-c", 'umask 022; exec "$0" "$@"', "env", options], file)
    process.kill(running.ready.pid, "SIGUSR2")
    const report = join(directory, "report.json")
    await until(async () => existsSync(report) && readFileSync(report, "utf8").trimEnd().endsWith("}"), "the report")
    const modes = readdirSync(journal).map((name) => statSync(join(journal, name)).mode & 0o077)
    running.signal("SIGINT")

    const { err } = await running.ended

    expect(readFileSync(report, "utf8")).toContain("nodejsVersion")
    expect(readFileSync(report, "utf8")).not.toContain(key)
    expect(modes).toEqual(modes.map(() => 0))
    expect(err).toMatch(/WARN {2}\S+journal was open to others \(mode 0755\); it is 0700 now/)
  })

  it("says without the key what it could not prove, and does not say good", async () => {
    const directory = folder()
    await fill(directory)

    const { code, out, err } = await jinka(["journal", "verify", directory], { env: { JINKA_JOURNAL_KEY: "" } })

    expect([code, out]).toEqual([1, ""])
    expect(err).toMatch(/not proved: entries 1 to 10 \(\d+ groups\) need the key [0-9a-f]{8}, which was not given/)
  })

  it("finds an older copy of everything by an anchor that was appended to a file elsewhere", async () => {
    const directory = join(folder(), "journal")
    await fill(directory)
    const older = join(folder(), "older")
    cpSync(directory, older, { recursive: true })
    await fill(directory)
    const kept = join(folder(), "anchors.txt")
    writeFileSync(kept, "kept since Monday\n")

    const appended = await jinka(["journal", "anchor", directory, "--append", kept], { env })
    const verified = await jinka(["journal", "verify", older, "--anchor", kept], { env })
    const without = await jinka(["journal", "verify", older], { env })

    expect(appended).toEqual({ code: 0, out: "", err: "" })
    expect(readFileSync(kept, "utf8")).toMatch(
      /^kept since Monday\n\d{4}-\d\d-\d\dT\S+Z jinka-anchor:4:[a-p]{32}:20:\S+\n$/
    )
    expect([verified.code, verified.out]).toEqual([1, ""])
    expect(verified.err).toMatch(
      /the anchor of entry 20 does not fit .* ends at 10: an older copy, or its end is cut off/
    )
    expect(without.code).toBe(0)
  })

  it("wants an anchor where it was told that there is one", async () => {
    const directory = folder()
    const empty = join(directory, "empty.log")
    writeFileSync(empty, "nothing here\n")

    const said = await Promise.all(
      [empty, join(directory, "missing.log"), "jinka-anchor:4:aa"].map((anchor) =>
        jinka(["journal", "verify", directory, "--anchor", anchor])
      )
    )

    expect(said.map(({ code }) => code)).toEqual([2, 2, 2])
    expect(said.map(({ err }) => err)).toEqual([
      expect.stringContaining("there is no anchor in this file"),
      expect.stringContaining("there is no such file"),
      expect.stringContaining("this is not a whole anchor")
    ])
  })
})
