/**
 * Rows 26 and 27 of docs/reference/test-plan.md: a disk that is full, or fails while part of it still works. The full disk is a
 * file system of a few MiB, the failing one strace, with the switch as a process of its own.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { builtWriting } from "../../programs/Programs.ts"
import { allEntries, withJournal } from "../../switch/journal/Journals.ts"
import { faultOf } from "../../switch/journal/Writing.ts"
import { answerTo, purchase, text, until } from "../../switch/operate/Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitch, runSwitchUnder } from "../../switch/operate/program.ts"
import { connected, failing, routed, straceHindrance } from "./Disk.ts"

const MiB = 1024 * 1024
const mounted: Array<string> = []

/** A file system of its own with so many MiB; "" when none can be mounted here. */
const smallDisk = (mib: number): string => {
  const directory = join(folder(), "disk")
  mkdirSync(directory)
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${mib}m,mode=0700`, "tmpfs", directory])
  if (status !== 0) return ""
  mounted.push(directory)
  return directory
}

const unmountAll = (): void => {
  for (const directory of mounted.splice(0)) spawnSync("umount", ["-l", directory])
}

/** Fills a file system until so many bytes are free. */
const fill = (directory: string, free: number): void => {
  const { bavail, bsize } = statfsSync(directory)
  writeFileSync(join(directory, "filler"), Buffer.alloc(Math.max(0, bavail * bsize - free), 1))
}

const mountHindrance = smallDisk(1) === "" ? "no file system can be mounted here" : ""
unmountAll()

afterEach(() => {
  unmountAll()
  cleanUp()
})

describe.skipIf(mountHindrance !== "")(`A journal on a full disk ${mountHindrance}`, () => {
  it("refuses new requests below its reserve without filling the disk, and the end of the last one has room", async () => {
    const disk = smallDisk(24)
    const file = configuration(folder(), (yaml) =>
      routed(yaml)
        .replace("./journal", join(disk, "journal"))
        .replace("reserve: 1 MiB", "reserve: 8 MiB")
        .replace("requestTimeout: 20 seconds", "requestTimeout: 3 minutes")
    )
    const running = await runSwitch(file)
    const { acquirer, issuer } = await connected(running)
    acquirer.send(purchase(1))
    const open = await issuer.next()
    // Less than half of the reserve: room for the end of one exchange, not for thousands of refusals.
    fill(disk, 0.75 * MiB)
    await until(async () => (await running.status()).fullBy === "disk", "the full disk noticed")

    let refused = 0
    for (let n = 0; n < 30; n++) {
      for (let m = 0; m < 100; m++) acquirer.send(purchase(1000 + n * 100 + m))
      for (let m = 0; m < 100; m++) if (text(await acquirer.next(), 39) === "96") refused++
    }
    issuer.send(answerTo(open))
    const answer = await acquirer.next()
    rmSync(join(disk, "filler"))
    await until(async () => (await running.status()).fullBy === null, "the room noticed")
    acquirer.send(purchase(2))
    issuer.send(answerTo(await issuer.next()))
    const after = await acquirer.next()
    await running.stop()

    expect(refused).toBe(3000)
    expect(text(answer, 39)).toBe("00")
    expect(text(after, 39)).toBe("00")

    const { code, err } = await running.ended
    expect(code).toBe(0)
    expect(err).toMatch(/not journalled, because there is no room for it: \d+ refused; 3000 in all/)
    expect((await jinka(["journal", "verify", file])).out).toMatch(/^good: /)
  })

  it("is none of a backup or archive whose own disk is full: that is named, and the switch goes on", async () => {
    const [backups, archive] = [smallDisk(1), smallDisk(1)]
    fill(backups, 0)
    const directory = folder()
    const file = configuration(directory, routed)
    const running = await runSwitch(file)
    const { acquirer, issuer } = await connected(running)

    const online = await jinka(["journal", "backup", file, join(backups, "b")])
    acquirer.send(purchase(1))
    issuer.send(answerTo(await issuer.next()))
    const answer = await acquirer.next()
    await running.stop()
    await running.ended
    const offline = await jinka(["journal", "backup", file, join(backups, "c")])
    fill(archive, 0)
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
    const archived = await jinka(["journal", "archive", file, "--to", join(archive, "a"), "--before", tomorrow])

    expect(text(answer, 39)).toBe("00")
    for (const [{ code, err }, place] of [
      [online, join(backups, "b")],
      [offline, join(backups, "c")],
      [archived, join(archive, "a")]
    ] as const) {
      expect(code).toBe(3)
      expect(err).toContain(`DiskFull: ${place}`)
      expect(err).toContain("Free space there, or name a place on another file system")
      expect(err).not.toContain(join(directory, "journal"))
    }
  })

  it("does not begin without room: no partner hears of it", async () => {
    const disk = smallDisk(24)
    let calls = 0
    const issuer = createServer(() => calls++)
    await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve))
    const { port } = issuer.address() as { port: number }
    const file = configuration(folder(), (yaml) =>
      routed(yaml)
        .replace("./journal", join(disk, "journal"))
        .replace(/(name: issuer[\s\S]*?)listen: .*/, `$1connect: { host: 127.0.0.1, port: ${port} }`)
    )
    fill(disk, 0.5 * MiB)

    const { code, out, err } = await jinka(["run", file])
    issuer.close()

    expect([code, out, calls]).toEqual([3, "", 0])
    expect(err).toMatch(/DiskFull: .* There are \d+ KiB free on this file system; a start needs 1024 KiB\. Free space/)
  })
})

const writing = builtWriting()

describe.skipIf(straceHindrance !== "")(
  `A database that cannot be written while its log can ${straceHindrance}`,
  () => {
    it("is said in log and status at once, and the switch goes on", async () => {
      const directory = folder()
      // Each write under strace takes its time, and more of it on a busy machine: no request may run out of its own.
      const patient = (yaml: string) => routed(yaml).replace("requestTimeout: 20 seconds", "requestTimeout: 2 minutes")
      const file = configuration(directory, patient)
      const first = await runSwitch(file)
      await first.stop()
      const running = await runSwitchUnder(failing(join(directory, "journal", "journal.db")), file)
      const { acquirer, issuer } = await connected(running)
      issuer.onMessage = (message) => issuer.send(answerTo(message))

      let stan = 0
      await until(async () => {
        for (let n = 0; n < 20; n++) acquirer.send(purchase(++stan))
        for (let n = 0; n < 20; n++) expect(text(await acquirer.next(), 39)).toBe("00")
        return (await running.status()).diskTrouble !== ""
      }, "the failing checkpoint in the status")
      const { diskTrouble } = await running.status()
      const shown = await jinka(["status", file])
      // At the next look at the disk, once a second.
      await until(() => running.err().includes("The database cannot be written"), "the failing checkpoint in the log")
      await running.stop()
      const { err } = await running.ended

      expect(diskTrouble).toMatch(
        /journal\.db: The database cannot be written, though its log can: .*; the log has .* MiB of at most 64.*, and the switch stops when it is full/
      )
      expect(shown.out).toContain(diskTrouble)
      expect(err).toContain("ERROR")
      expect(err).toContain("The database cannot be written, though its log can")
    })

    it("stops the journal when the log has reached its limit, and everything acknowledged is there", async () => {
      const directory = join(folder(), "journal")
      await Effect.runPromise(withJournal(directory, () => Effect.void))
      const [program = "", ...before] = failing(join(directory, "journal.db"))

      const { stdout } = spawnSync(program, [...before, process.execPath, writing, directory, "forever"], {
        encoding: "utf8",
        maxBuffer: 64 * MiB
      })
      const lines = stdout.trimEnd().split("\n")
      const wal = statSync(join(directory, "journal.db-wal")).size

      expect(lines.at(-1)).toMatch(
        /^DiskFailed: .*journal\.db: The database cannot be written, though its log can: .*the log has 4\.\d MiB/
      )

      const acknowledged = Number(lines.at(-2))
      expect(acknowledged).toBeGreaterThan(100)
      expect(wal).toBeLessThan(8 * MiB)

      const all = await Effect.runPromise(withJournal(directory, (journal) => allEntries(journal)))
      expect(all.length).toBeGreaterThanOrEqual(acknowledged)
      expect(faultOf(all)).toBeUndefined()
    })
  }
)
