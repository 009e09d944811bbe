/** Files that the simulator writes: whole or not at all, and a disk that takes no more is told in words. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit, Scope } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import { makeFolder, writeText, writeTexts } from "../../packages/simulator/src/file/TextFile.ts"
import { makeLineFile } from "../../packages/simulator/src/history/LineFile.ts"
import { FileLost } from "../../packages/simulator/src/SimulatorError.ts"

const folder = mkdtempSync(join(tmpdir(), "jinka-files-"))
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
