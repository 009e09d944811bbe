/** Who did what, and why: every act, by command or signal, is in the journal with its reason and what came of it. */
import { readFileSync, writeFileSync } from "node:fs"
import { afterEach, describe, expect, it } from "vitest"
import { until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitchIn } from "./program.ts"

afterEach(cleanUp)

interface Act {
  readonly user: string
  readonly link: string
  readonly what: string
  readonly why: string
}

const auditOf = async (file: string): Promise<ReadonlyArray<Act>> =>
  (JSON.parse((await jinka(["audit", file, "--json"])).out) as { readonly acts: ReadonlyArray<Act> }).acts.toReversed()

const none = "no reason given"

describe("The audit", () => {
  it("has each act with its reason, or says that none was given; what was refused, too", async () => {
    const directory = folder()
    const file = configuration(directory)
    const running = await runSwitchIn({}, file)
    const because = ["--reason", "partner asked (case 12)"]

    await jinka(["link", "block", file, "issuer", ...because])
    await jinka(["link", "unblock", file, "issuer"])
    await jinka(["link", "sign-off", file, "issuer", ...because])
    await jinka(["reload", file, "--dry-run", ...because])
    await jinka(["reload", file])
    await jinka(["journal", "backup", file, `${directory}/copy`, ...because])
    await jinka(["pending", "close", file, "--exchange", "7", ...because])
    await jinka(["alarm", "silence", file, "--kind", "linkDown", "--link", "isuer", "--for", "1 minutes", ...because])
    await jinka(["alarm", "unsilence", file, "--kind", "linkDown", ...because])
    await jinka(["day", "cut-over", file, "issuer", "--to", "2026-12-01", ...because])
    await jinka(["day", "correct", file, "acquirer", "--to", "1999-11-01", ...because])
    await jinka(["key", "ask", file, "issuer", ...because])
    await jinka(["journal", "archive", file, "--to", `${directory}/archive`])
    const refused = await jinka(["reload", file, "--reason", "card 1234567812345678"])
    const stopped = await jinka(["stop", file, "--reason", "new kernel"])
    await running.ended
    const acts = await auditOf(file)

    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("without a run of 8 digits") })
    expect(stopped.code).toBe(0)
    const given = "partner asked (case 12)"
    const expected: ReadonlyArray<readonly [link: string, what: RegExp, why: string]> = [
      ["issuer", /^block: New requests/, given],
      ["issuer", /^unblock: It takes/, none],
      ["issuer", /^sign-off: not done: It has no connection/, given],
      ["", /^dry run of a reload: would change nothing$/, given],
      ["", /^reload: links added 0, changed 0, removed 0; routes now 1$/, none],
      ["", /^journal backup$/, given],
      ["", /^pending close exchange 7: not done: Exchange 7 is not in doubt/, given],
      ["", /^silence alarm linkDown of isuer for 1 minute: not done: There is no link isuer/, given],
      ["", /^unsilence alarm linkDown: not done: The alarm linkDown is not silenced/, given],
      ["issuer", /^day cut-over to 2026-12-01: business day of issuer is 2026-12-01/, given],
      ["", /^day correct of acquirer to 1999-11-01: not done: /, given],
      ["", /^key ask for issuer: not done: issuer exchanges no keys/, given],
      ["", /^archive entries of the journal before /, none],
      ["", /^stop$/, "new kernel"]
    ]
    expect(acts.map(({ link, what }) => `${link} ${what}`)).toEqual(
      expected.map(([link, what]) =>
        expect.stringMatching(new RegExp(`^${link} (?:${what.source.replaceAll("^", "")})`))
      )
    )
    expect(acts.map(({ why }) => why)).toEqual(expected.map(([, , why]) => why))
    expect(new Set(acts.map(({ user }) => user)).size).toBe(1)
  })

  it("has a reload that was refused, by whom and why, and both signals", async () => {
    const directory = folder()
    const file = configuration(directory)
    const running = await runSwitchIn({}, file)
    const good = readFileSync(file, "utf8")
    writeFileSync(file, good.replace("drainTimeout: 2", "drainTimeout: soon"))

    const refused = await jinka(["reload", file, "--reason", "longer drains"])
    running.signal("SIGHUP")
    await until(() => running.err().includes("reload by SIGHUP refused"), "SIGHUP was refused")
    writeFileSync(file, good)
    running.signal("SIGTERM")
    await running.ended
    const acts = await auditOf(file)

    expect(refused.code).toBe(2)
    expect(acts).toMatchObject([
      { what: expect.stringMatching(/^reload: refused: .*drainTimeout/), why: "longer drains" },
      { user: "SIGHUP", what: expect.stringMatching(/^reload: refused: .*drainTimeout/), why: "a signal" },
      { user: "SIGTERM", what: "stop", why: "a signal" }
    ])
  })
})
