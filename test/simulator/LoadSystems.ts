/** Load files, and systems under test that a load's tests put them on. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { cupsFrame } from "@jinka/codec"
import { Effect } from "effect"
import { freePort } from "../../examples/shared/FreePort.ts"
import { readLoadFile } from "../../packages/simulator/src/load/LoadFile.ts"
import type { LoadResult, LoadWatch } from "../../packages/simulator/src/load/RunLoad.ts"
import { patience } from "../Pace.ts"
import { answerTo, framed, listenTo } from "../switch/modes/Rig.ts"
import { testFolder } from "../TestFolder.ts"

/** A port that is free. */
export const port = (): Promise<number> => Effect.runPromise(freePort)

/** The messages of a load file: a sign-on, and a purchase of a row's card with these fields besides. */
export const messagesWith = (fields: ReadonlyArray<string>): string => `messages:
  signOn: { mti: "0820", header: { destination: "00010000", source: "48020000" }, 7: "{time}", 11: "{stan}", 33: "48020000", 70: "001" }
  purchase:
    mti: "0200"
    header: { destination: "00010000", source: "48020000" }
    2: "{row.pan}"
    3: "000000"
    4: "{amount 100..9999}"
    7: "{time}"
    11: "{stan}"
    32: "48020000"
    33: "48020000"
    37: "{rrn}"
    41: "T0000001"
    ${fields.join("\n    ")}`

const text = (links: string, profile: string, more: string, field: string): string => `
data: cards.csv
links: { ${links} }
${messagesWith(['18: "5411"', '25: "00"', '49: "156"', field])}
mix: [100 purchase]
profile: ["${profile}"]
${more}`

/** Reads a load file of these links: a purchase of a card of two, and whatever is given in `field` besides. */
export const loadOf = async (
  links: string,
  profile = "fixed 50/s for 600ms",
  more = "timeout: 20s",
  field = "",
  rows: string | Uint8Array = "pan\n6200000000000005\n6205500000000000004\n"
) => {
  const folder = mkdtempSync(join(testFolder(), "jinka-load-"))
  try {
    writeFileSync(join(folder, "cards.csv"), rows)
    const file = join(folder, "load.yaml")
    writeFileSync(file, text(links, profile, more, field))
    return await Effect.runPromise(readLoadFile(file))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Hears what a load tells. */
export const watching = (told: Array<string> = []): LoadWatch => ({
  tell: (line) => void told.push(line),
  onSecond: () => undefined,
  stop: Effect.never
})

/** A system under test on bare sockets, which connects itself and approves what it is asked. */
export const caller = async (
  at: number,
  delay = () => 0
): Promise<{ readonly socket: Socket; readonly heard: Array<string> }> => {
  const heard: Array<string> = []
  const began = performance.now()
  for (;;) {
    const socket = connect(at, "127.0.0.1")
    const isUp = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true))
      socket.once("error", () => resolve(false))
    })
    if (isUp) {
      listenTo(socket, cupsFrame, (message) => {
        heard.push(`${message.mti} ${message.fields[11]}`)
        if (Number(message.mti) % 20 < 10) setTimeout(() => socket.write(framed(answerTo(message))), delay())
      })
      return { socket, heard }
    }
    if (performance.now() - began > patience(5000)) throw new Error(`nobody listens on ${at}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** What a load came to whose requests were all approved. */
export const allApproved = ({ measure }: LoadResult) => {
  const { answered, lost, notSent, sent, timedOut } = measure.totals()
  const codes = new Map<string, number>()
  for (const one of measure.series) for (const [code, n] of one.codes) codes.set(code, (codes.get(code) ?? 0) + n)
  const { late, unexpected, unmatched } = measure
  const odd = { lost, notSent, timedOut, late, unmatched, unexpected }
  return { sent, isAll: answered === sent && codes.get("00") === sent, odd }
}

/** Why the run is INVALID, but for a generator that this busy machine made late. */
export const ofLinks = ({ invalid }: LoadResult) => invalid.filter((reason) => !reason.startsWith("the generator was"))

/** What did not go as it should: nothing. */
export const nothingOdd = { lost: 0, notSent: 0, timedOut: 0, late: 0, unmatched: 0, unexpected: 0 }
