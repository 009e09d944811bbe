import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { nearest } from "../../../packages/switch/src/operate/configuration/text/Problem.ts"
import { durationMs, sizeBytes, utcOffsetMs } from "../../../packages/switch/src/operate/configuration/text/Units.ts"

describe("A duration", () => {
  it.each([
    ["15 seconds", 15_000],
    ["1 second", 1000],
    ["500 millis", 500],
    ["250 milliseconds", 250],
    ["1.5 seconds", 1500],
    ["2 minutes", 120_000],
    ["24 hours", 86_400_000]
  ])("%s is %i ms", (text, ms) => {
    expect(durationMs(text)).toBe(ms)
  })

  it.each([
    15,
    "15",
    "15s",
    "15  seconds",
    "-1 seconds",
    "0 seconds",
    "25 hours",
    "0.1 millis",
    "",
    null,
    {},
    "1e3 seconds"
  ])("is not %j", (value) => {
    expect(durationMs(value)).toBeUndefined()
  })

  it("is read from any whole number of millis up to a day", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 86_400_000 }), (ms) => durationMs(`${ms} millis`) === ms))
  })
})

describe("A size", () => {
  it.each([
    ["1 B", 1],
    ["64 KiB", 65_536],
    ["4 MiB", 4_194_304],
    ["1 GiB", 1_073_741_824]
  ])("%s is %i bytes", (text, bytes) => {
    expect(sizeBytes(text)).toBe(bytes)
  })

  it.each(["4 MB", "4MiB", "0 B", "-1 B", 4096, "9007199254740993 GiB"])("is not %j", (value) => {
    expect(sizeBytes(value)).toBeUndefined()
  })
})

describe("An offset from UTC", () => {
  it.each([
    ["+08:00", 28_800_000],
    ["-03:30", -12_600_000],
    ["+00:00", 0]
  ])("%s adds %i ms", (text, ms) => {
    expect(utcOffsetMs(text)).toBe(ms)
  })

  it.each(["8", "+8:00", "+15:00", "+08:60", "Z"])("is not %j", (value) => {
    expect(utcOffsetMs(value)).toBeUndefined()
  })
})

describe("The nearest known word", () => {
  it.each([
    ["timout", "timeout"],
    ["form", "from"],
    ["Institution", "institution"],
    ["instituton", "institution"]
  ])("of %s is %s", (written, meant) => {
    expect(nearest(written, ["name", "institution", "timeout", "from", "second"])).toBe(meant)
  })

  it("is none when nothing is near", () => {
    expect(nearest("banana", ["name", "institution", "timeout"])).toBeUndefined()
  })
})
