/**
 * Rows 4, 11 and 12 of docs/reference/test-plan.md: FIN and RST at every point of a dialogue, on either side of the switch.
 * Whatever is cut where, a request ends once: answered, or unknown and reversed; never both, and never lost without a word.
 *
 * Does not look at what lies between two bytes of one read: the framer's own tests split everywhere.
 */
import type { Message } from "@jinka/codec"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { isLong } from "../../Runs.ts"
import { journalFindings } from "../../regression/JournalCheck.ts"
import { makeSystem, type System } from "../../regression/System.ts"
import { answerTo, frameOf, Line, purchase, text, until } from "../../switch/operate/Line.ts"

/** An answer followed by RST, again and again. */
const RESETS = isLong ? 10_000 : 150
/** Every so many bytes of a frame are a point to cut at; its first and last bytes always are. */
const STEP = isLong ? 1 : 48

const settings = {
  "request timeout": "20s",
  acquirer: { "expects sign-on": "no" },
  issuer: { "expects sign-on": "no" }
}

/** What became of one request, as its acquirer and its issuer saw it. */
interface Outcome {
  code: string
  isReversed: boolean
}

/** Both partners of one switch; the issuer acknowledges every reversal on whatever connection it comes. */
class Pair {
  readonly outcomes = new Map<string, Outcome>()
  readonly system: System
  private issuer: Line | undefined
  private stan = 0
  private asked: ((request: Message) => void) | undefined

  constructor(system: System) {
    this.system = system
  }

  /** The next connection of the acquirer, which notes every answer. */
  async acquirerConnects(): Promise<Line> {
    return this.connected(0, "acquirer", (line) => (message) => {
      if (message.mti === "0820") return line.send(answerTo(message))
      const outcome = this.outcomes.get(text(message, 11))
      if (outcome === undefined) throw new Error(`an answer to no request: STAN ${text(message, 11)}`)
      if (outcome.code !== "") throw new Error(`a second answer to STAN ${text(message, 11)}`)
      outcome.code = text(message, 39)
    })
  }

  /** The next connection of the issuer. */
  async issuerConnects(): Promise<Line> {
    const line = await this.connected(1, "issuer", (line) => (message) => {
      if (message.mti === "0820") return line.send(answerTo(message))
      if (message.mti === "0200") return this.asked?.(message)
      const outcome = this.outcomes.get(text(message, 90).slice(4, 10))
      if (outcome === undefined) throw new Error(`a reversal of no request: DE 90 ${text(message, 90)}`)
      outcome.isReversed = true
      line.send(answerTo(message))
    })
    this.issuer = line
    return line
  }

  /** A new request; gives its STAN, its frame, and what the issuer gets of it. */
  request(): { readonly stan: string; readonly frame: Buffer; readonly seen: Promise<Message> } {
    const message = purchase(++this.stan)
    const stan = text(message, 11)
    this.outcomes.set(stan, { code: "", isReversed: false })
    const seen = new Promise<Message>((resolve) => {
      this.asked = resolve
    })
    return { stan, frame: frameOf(message), seen }
  }

  /** Waits for the answer to a request. */
  async answered(stan: string): Promise<string> {
    await until(() => this.outcomes.get(stan)!.code !== "", `an answer to STAN ${stan}`)
    return this.outcomes.get(stan)!.code
  }

  /** Nothing is open any more, and nobody was told two things. */
  async settle(): Promise<void> {
    if (this.issuer === undefined || this.issuer.socket.destroyed) await this.issuerConnects()
    const { running } = this.system
    await until(
      () =>
        running()
          .status()
          .links.every(({ outstanding, stored }) => outstanding + stored.size === 0),
      "rest"
    )
    const both = [...this.outcomes].filter(([, { code, isReversed }]) => code === "00" && isReversed)
    expect(both, "approved and reversed").toEqual([])
  }

  /**
   * A connection that the switch has taken: while an old one is still there, requests would go to that. It is heard from its
   * first byte on: the answer to a request of the connection before may come as soon as this one is ready.
   */
  private async connected(
    link: number,
    name: string,
    hears: (line: Line) => (message: Message) => void
  ): Promise<Line> {
    const its = this.system.running().links[link]!
    const { epoch } = its
    const line = await Line.connect(this.system.ports.get(name)!)
    line.onMessage = hears(line)
    await until(() => its.isReady && its.epoch > epoch, `${name} ready`)
    return line
  }
}

const withPair = (play: (pair: Pair) => Promise<void>): Promise<void> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const system = yield* makeSystem(settings)
        yield* Effect.promise(() => play(new Pair(system)))
        yield* system.stop
        const { findings } = yield* journalFindings(system.directory, [])
        expect(findings).toEqual([])
      })
    )
  )

/** Points of a frame to cut at: 0 is before its first byte, its length behind the last. */
const points = (length: number): ReadonlyArray<number> =>
  [...Array(length + 1).keys()].filter((at) => at % STEP === 0 || at < 3 || at > length - 2)

describe.concurrent("An end in the middle of a dialogue", () => {
  it(
    `an answer that is followed by RST is delivered, or its request is unknown and reversed (${RESETS} times)`,
    {},
    () =>
      withPair(async (pair) => {
        const acquirer = await pair.acquirerConnects()
        let delivered = 0
        for (let n = 0; n < RESETS; n++) {
          const issuer = await pair.issuerConnects()
          const { frame, seen, stan } = pair.request()
          acquirer.send(frame)
          issuer.send(answerTo(await seen))
          issuer.end("RST")
          const code = await pair.answered(stan)
          expect(["00", "98"]).toContain(code)
          if (code === "00") delivered++
        }
        await pair.settle()

        for (const [stan, { code, isReversed }] of pair.outcomes) {
          expect(isReversed, `STAN ${stan}, answered ${code}`).toBe(code === "98")
        }
        expect(delivered / RESETS).toBeGreaterThanOrEqual(0.999)
      })
  )

  for (const how of ["FIN", "RST"] as const) {
    it(
      `${how} at every point of an answer: whole it is delivered, in part its request is unknown and reversed`,
      {},
      () =>
        withPair(async (pair) => {
          const acquirer = await pair.acquirerConnects()
          const { length } = frameOf(answerTo(purchase(1)))
          for (const at of points(length)) {
            const issuer = await pair.issuerConnects()
            const { frame, seen, stan } = pair.request()
            acquirer.send(frame)
            const answer = frameOf(answerTo(await seen))
            if (at > 0) issuer.send(answer.subarray(0, at))
            issuer.end(how)
            const code = await pair.answered(stan)
            if (at < length) expect(code, `cut at ${at}`).toBe("98")
            else if (how === "FIN") expect(code).toBe("00")
            if (code === "98") {
              await pair.issuerConnects()
              await until(() => pair.outcomes.get(stan)!.isReversed, `the reversal of STAN ${stan}`)
            }
          }
          await pair.settle()
        })
    )

    it(`${how} at every point of a request: in part nothing of it goes on, whole it has one end`, {}, () =>
      withPair(async (pair) => {
        const issuer = await pair.issuerConnects()
        const { length } = frameOf(purchase(1))
        let isSeen = false
        for (const at of points(length)) {
          const line = await pair.acquirerConnects()
          const { frame, seen, stan } = pair.request()
          void seen.then((request) => {
            isSeen = true
            issuer.send(answerTo(request))
          })
          if (at > 0) line.send(frame.subarray(0, at))
          line.end(how)
          // The half-closed end gets its answer; both get the switch's own end of the connection.
          await line.ended
          if (at < length) expect(isSeen, `cut at ${at}`).toBe(false)
          else if (how === "FIN") expect(pair.outcomes.get(stan)!.code).toBe("00")
        }
        await pair.acquirerConnects()
        await pair.settle()
        // After RST it may have arrived or not: then it was approved in the acquirer's sight, or taken back.
        const whole = [...pair.outcomes.values()].at(-1)!
        if (isSeen) await until(() => whole.code === "00" || whole.isReversed, "the end of the whole request")
      })
    )
  }
})
