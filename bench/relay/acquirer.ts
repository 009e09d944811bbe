/**
 * The acquirer of the relay bench. Closed loop: so many requests outstanding, the next one when an answer comes. Open loop: a
 * fixed schedule; latency counts from the time at which a request was meant to leave, and never from when it did.
 */
import * as Net from "node:net"
import { build } from "hdr-histogram-js"
import { RawFrames, template } from "./Frame.ts"

/** What one run measured. Latencies in microseconds. */
export interface Measured {
  readonly answered: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly unanswered: number
}

const STANS = 1_000_000

/** MAC and PIN block of every message, for a bench of keys. */
const { JINKA_BENCH_MAC: mac, JINKA_BENCH_PIN: block } = process.env
const sealed =
  mac === undefined || block === undefined ? {} : { 52: Buffer.from(block, "hex"), 64: Buffer.from(mac, "hex") }

/** One connection that sends the template with its own STANs and takes the times. */
class Caller {
  private readonly socket: Net.Socket
  private readonly frames = new RawFrames()
  private readonly template = template(sealed)
  private readonly startedAt = new Float64Array(STANS)
  private slab = Buffer.alloc(1 << 20)
  private stan = 0
  private turn = 0
  answered = 0
  sent = 0
  histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 })
  onAnswers: (count: number) => void = () => {}
  private readonly first: number
  private readonly startedAtMs = performance.now()

  constructor(socket: Net.Socket, first: number) {
    this.socket = socket
    this.first = first
    socket.on("data", (chunk: Buffer) => {
      const now = performance.now()
      let count = 0
      this.frames.push(chunk, (buffer, from, to) => {
        if (to - from <= 4) return
        count++
        const stan = digits(buffer, from + this.template.stanAt, 6)
        this.histogram.recordValue(Math.max(1, Math.round((now - this.startedAt[stan]!) * 1000)))
      })
      this.answered += count
      this.onAnswers(count)
    })
  }

  /** Sends `count` requests in one write; `intended(i)` is when the i-th was meant to leave. */
  send(count: number, intended: (i: number) => number): void {
    const { bytes, stanAt, timeAt } = this.template
    const need = count * bytes.length
    if (this.slab.length < need) this.slab = Buffer.alloc(need)
    // A slab that the kernel has not taken yet must not be written again.
    else if (this.socket.writableLength > 0) this.slab = Buffer.alloc(this.slab.length)
    const seconds = Math.floor((performance.now() - this.startedAtMs) / 1000)
    for (let i = 0; i < count; i++) {
      this.stan++
      if (this.stan === STANS) {
        this.stan = 1
        this.turn++
      }
      const at = i * bytes.length
      bytes.copy(this.slab, at)
      putDigits(this.slab, at + stanAt, this.stan, 6)
      // Every acquirer and every million of STANs has a time of its own: no key comes twice. It grows every second, as times do.
      putDigits(this.slab, at + timeAt + 4, this.first + this.turn + seconds, 6)
      this.startedAt[this.stan] = intended(i)
    }
    this.sent += count
    this.socket.write(this.slab.subarray(0, need))
  }

  measured(seconds: number): Measured {
    const { histogram } = this
    return {
      answered: this.answered,
      perSecond: Math.round(this.answered / seconds),
      p50: histogram.getValueAtPercentile(50),
      p99: histogram.getValueAtPercentile(99),
      p999: histogram.getValueAtPercentile(99.9),
      max: histogram.maxValue,
      unanswered: this.sent - this.answered
    }
  }
}

const digits = (buffer: Buffer, at: number, length: number): number => {
  let value = 0
  for (let i = 0; i < length; i++) value = value * 10 + buffer[at + i]! - 48
  return value
}

const putDigits = (buffer: Buffer, at: number, value: number, length: number): void => {
  let rest = value
  for (let i = length - 1; i >= 0; i--) {
    buffer[at + i] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}

/** Warm-up before anything is counted, in milliseconds: some ten thousands of transactions, until all is compiled. */
const WARM_UP_MS = 3000

const closed = (caller: Caller, outstanding: number, seconds: number): Promise<Measured> =>
  new Promise((resolve) => {
    let counting = false
    let done = false
    caller.onAnswers = (count) => {
      if (done) return
      const now = performance.now()
      caller.send(count, () => now)
    }
    const now = performance.now()
    caller.send(outstanding, () => now)
    setTimeout(() => {
      counting = true
      caller.answered = 0
      caller.histogram.reset()
      process.send?.({ mark: "begin" })
      const from = performance.now()
      setTimeout(() => {
        done = true
        process.send?.({ mark: "end" })
        const measured = caller.measured((performance.now() - from) / 1000)
        setTimeout(() => resolve({ ...measured, unanswered: counting ? 0 : -1 }), 300)
      }, seconds * 1000)
    }, WARM_UP_MS)
  })

const open = (caller: Caller, rate: number, seconds: number): Promise<Measured> =>
  new Promise((resolve) => {
    const from = performance.now()
    let next = 0
    let counted = false
    const timer = setInterval(() => {
      const now = performance.now()
      const due = Math.floor(((now - from) / 1000) * rate)
      if (due > next) {
        const first = next
        caller.send(due - next, (i) => from + ((first + i) * 1000) / rate)
        next = due
      }
      if (!counted && now - from > WARM_UP_MS) {
        counted = true
        caller.histogram.reset()
        caller.answered = 0
        caller.sent = 0
        process.send?.({ mark: "begin" })
      }
      if (now - from > WARM_UP_MS + seconds * 1000) {
        clearInterval(timer)
        process.send?.({ mark: "end" })
        const measured = caller.measured(seconds)
        setTimeout(() => resolve({ ...measured, unanswered: caller.sent - caller.answered }), 500)
      }
    }, 1)
  })

const [, , port, mode, amount, seconds, first] = process.argv
const socket = Net.connect({ host: "127.0.0.1", port: Number(port), noDelay: true }, async () => {
  const caller = new Caller(socket, Number(first))
  const run = mode === "open" ? open : closed
  const measured = await run(caller, Number(amount), Number(seconds))
  process.send?.({ measured })
  socket.destroy()
  process.disconnect()
})
