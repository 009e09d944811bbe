/**
 * The good partner: so many purchases a second on a fixed schedule, and the time of each from when it was meant to leave.
 * Arguments: port. Told `{ from, perSecond, seconds }` it measures once; told `{ reversal }` or `{ unanswered }` it sends one
 * of these.
 */
import * as Net from "node:net"
import { compile, MessageIndex } from "@jinka/codec"
import { build } from "hdr-histogram-js"
import { dialect, frame, RawFrames } from "../relay/Frame.ts"
import { bins, institutions, Template } from "./Messages.ts"

/** One measurement; milliseconds. */
export interface Measured {
  readonly sent: number
  readonly approved: number
  /** Answered with another code than 00. */
  readonly refused: number
  readonly unanswered: number
  /** When the first was meant to leave, milliseconds since the epoch. */
  readonly since: number
  readonly p50: number
  /**
   * p99 of each second. The median of these is the p99 of a usual second: a machine that stops for 50 ms once in a while, as a
   * shared one does, would decide that of all.
   */
  readonly seconds: ReadonlyArray<number>
  readonly max: number
}

/** How long the last answers are waited for, milliseconds: longer than a request's time. */
const PATIENCE_MS = 2500

const codec = compile(dialect)
const me = institutions.good
const purchase = new Template(me, bins.shared)
const unanswered = new Template(me, bins.shared, "0200", { 4: "000000099999" })
const reversal = new Template(me, bins.shared, "0420", {
  90: `02000000011122101530${me.padStart(11, "0")}${me.padStart(11, "0")}`
})

const started = new Map<number, number>()
/** Times of the requests of each second. */
const bySecond: Array<Array<number>> = []
let begun = 0
const codes = new Map<string, number>()
const histogram = build({
  lowestDiscernibleValue: 1,
  highestTrackableValue: 60_000_000,
  numberOfSignificantValueDigits: 3
})
const index = new MessageIndex()
const frames = new RawFrames()
let next = 0

const socket = Net.connect({ host: "127.0.0.1", port: Number(process.argv[2]), noDelay: true })
socket.on("data", (chunk: Buffer) => {
  const now = performance.now()
  frames.push(chunk, (buffer, from, to) => {
    if (to - from <= 4 || codec.index(buffer, from + frame.bytes, to, index) !== undefined) return
    const at = started.get(index.number(11))
    if (index.mti !== 210 || at === undefined) return
    started.delete(index.number(11))
    histogram.recordValue(Math.max(1, Math.round((now - at) * 1000)))
    const second = Math.floor((at - begun) / 1000)
    bySecond[second] = [...(bySecond[second] ?? []), now - at]
    const code = index.text(39)
    codes.set(code, (codes.get(code) ?? 0) + 1)
  })
})

const send = (template: Template, intended?: number): void => {
  const out = Buffer.allocUnsafe(template.bytes.length)
  template.write(out, 0, ++next)
  if (intended !== undefined) started.set(next % 1_000_000, intended)
  socket.write(out)
}

const p99Of = (times: ReadonlyArray<number>): number =>
  times.toSorted((one, other) => one - other)[Math.ceil(times.length * 0.99) - 1] ?? Number.NaN

const measure = (perSecond: number, seconds: number): void => {
  started.clear()
  codes.clear()
  histogram.reset()
  bySecond.length = 0
  const from = performance.now()
  begun = from
  let sent = 0
  const timer = setInterval(() => {
    const now = performance.now()
    while (sent < perSecond * seconds && from + (sent * 1000) / perSecond <= now) {
      send(purchase, from + (sent * 1000) / perSecond)
      sent++
    }
    if (now < from + seconds * 1000 || (started.size > 0 && now < from + seconds * 1000 + PATIENCE_MS)) return
    clearInterval(timer)
    const approved = codes.get("00") ?? 0
    const answered = [...codes.values()].reduce((sum, count) => sum + count, 0)
    const at = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1000
    const measured: Measured = {
      sent,
      approved,
      refused: answered - approved,
      unanswered: started.size,
      since: performance.timeOrigin + from,
      p50: at(50),
      seconds: bySecond.map(p99Of),
      max: histogram.maxValue / 1000
    }
    process.send?.({ measured })
  }, 1)
}

process.on("message", (message: { perSecond?: number; seconds?: number; one?: "reversal" | "unanswered" }) => {
  if (message.perSecond !== undefined) measure(message.perSecond, message.seconds!)
  else send(message.one === "reversal" ? reversal : unanswered)
})
process.on("disconnect", () => process.exit())
socket.on("connect", () => process.send?.({ connected: true }))
