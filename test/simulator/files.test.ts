/** Files that the simulator writes: whole or not at all, and a disk that takes no more is told in words. */
import { execFileSync, spawn } from "node:child_process"
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { Effect, Exit, Scope } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { textOfFile } from "../../packages/simulator/src/file/FileBytes.ts"
import { makeFolder, writeText, writeTexts } from "../../packages/simulator/src/file/TextFile.ts"
import { makeLineFile } from "../../packages/simulator/src/history/LineFile.ts"
import { FileLost } from "../../packages/simulator/src/SimulatorError.ts"
import { testFolder } from "../TestFolder.ts"

const folder = mkdtempSync(join(testFolder(), "jinka-files-"))
afterAll(() => rmSync(folder, { recursive: true }))

describe("A report", () => {
  it("takes the place of the one before when it is whole, also behind a link, and leaves nothing beside it", () => {
    const real = join(folder, "report.xml")
    const link = join(folder, "link.xml")
    writeFileSync(real, "before")
    symlinkSync(real, link)
    Effect.runSync(writeText(link, () => "after"))

    expect(readFileSync(real, "utf8")).toBe("after")
    expect(readdirSync(folder).sort()).toEqual(["link.xml", "report.xml"])
  })

  it("that cannot be written does not keep the others from it, and is told of", () => {
    const other = join(folder, "other.json")
    const error = Effect.runSync(
      Effect.flip(
        writeTexts([
          ["/dev/full", () => "x"],
          ["", () => "y"],
          [other, () => "z"]
        ])
      )
    )

    expect(error.message).toBe("/dev/full: the disk is full")
    expect(readFileSync(other, "utf8")).toBe("z")
  })
})

describe("A folder", () => {
  it("is made with those above it, and where none can be made that is said, and nothing waits for ever", () => {
    makeFolder(join(folder, "a", "b", "c"))
    makeFolder(join(folder, "a", "b", "c"))
    writeFileSync(join(folder, "a", "file"), "")

    expect(statSync(join(folder, "a", "b", "c")).isDirectory()).toBe(true)
    expect(() => makeFolder("/proc/jinka/x")).toThrow(/ENOENT|EACCES|EPERM/)
    expect(() => makeFolder(join(folder, "a", "file", "x"))).toThrow(/ENOTDIR|is a file/)
  })
})

describe("A history", () => {
  it("says that the disk is full, once, and then keeps still", async () => {
    const scope = await Effect.runPromise(Scope.make())
    const file = await Effect.runPromise(makeLineFile("/dev/full").pipe(Scope.provide(scope)))
    file.append({ at: 1 })

    expect(() => file.flush()).toThrow(FileLost)
    expect(() => file.flush()).not.toThrow()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })
})

describe("A pipe", () => {
  const pipe = join(folder, "pipe")
  beforeAll(() => void execFileSync("mkfifo", [pipe]))

  it("that nobody reads is told in words, as a report and as a history, and nothing waits for ever", async () => {
    const words = `${pipe}: it is a pipe that nobody reads, or a socket`
    const report = Effect.runSync(Effect.flip(writeText(pipe, () => "x")))
    const history = await Effect.runPromise(Effect.flip(Effect.scoped(makeLineFile(pipe))))

    expect([report.message, history.message]).toEqual([words, words])
  })

  it("into which nobody writes is told in words, after a while and not never", { timeout: 30_000 }, () => {
    expect(() => textOfFile(pipe)).toThrow("it is a pipe or device, and nothing came in 5 seconds")
  })

  it("is read to its end, however late its first byte comes", async () => {
    const writer = spawn("sh", ["-c", `sleep 0.3; printf 'partner: x' > '${pipe}'; exit 0`])
    expect(textOfFile(pipe)).toBe("partner: x")
    await new Promise((resolve) => writer.on("close", resolve))
  })
})

describe("What is too large to be read", () => {
  it("is told in words: a device without an end, and a file beyond what Node keeps in one string", () => {
    const huge = join(folder, "huge")
    writeFileSync(huge, "")
    truncateSync(huge, 700_000_000)

    expect(() => textOfFile("/dev/zero")).toThrow("more than 268 MB came; give a file")
    expect(() => textOfFile(huge)).toThrow("it has 700 MB, and at most 537 MB are read")
  })
})
