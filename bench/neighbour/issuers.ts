/**
 * The issuers of the neighbour bench: one answers at once, one after a second, one never. What is wanted of them is told in
 * messages: each reversal that arrives, by its institution and its STAN.
 */
import * as Net from "node:net"
import { compile, MessageIndex, PatchList, responseMti, writeFrame } from "@jinka/codec"
import { dialect, frame, RawFrames } from "../relay/Frame.ts"
import { institutions } from "./Messages.ts"

/** Amount of a purchase that even the good issuer does not answer. */
const unanswered = "000000099999"

const codec = compile(dialect)

const issuer = (answer: (send: () => void) => void): Promise<number> =>
  new Promise((resolve) => {
    const server = Net.createServer({ noDelay: true }, (socket) => {
      const frames = new RawFrames()
      const index = new MessageIndex()
      const patches = new PatchList()
      socket.on("error", () => socket.destroy())
      socket.on("data", (chunk: Buffer) => {
        const out = Buffer.allocUnsafe(2 * chunk.length + 4096)
        let used = 0
        frames.push(chunk, (buffer, from, to) => {
          if (codec.index(buffer, from + frame.bytes, to, index) !== undefined) return
          const isReversal = index.mti === 420 || index.mti === 421
          if (isReversal) told(index)
          if (index.text(4) === unanswered && !isReversal) return
          patches.clear()
          patches.mti(responseMti(index.mti))
          patches.set(39, "00")
          if (used + to - from + 64 > out.length) throw new Error("the issuer's answers are longer than it expected")
          used += writeFrame(frame, out, used, codec.patch(index, patches, out, used + frame.bytes))
        })
        if (used > 0) answer(() => socket.write(out.subarray(0, used)))
      })
    })
    server.listen(0, "127.0.0.1", () => resolve((server.address() as Net.AddressInfo).port))
  })

/** Reversals of the good partner, and our own of its purchases: few, and what the bench waits for. */
const told = (index: MessageIndex): void => {
  if (index.text(32) === institutions.good)
    process.send?.({ reversal: Date.now(), isOurs: index.text(4) === unanswered })
}

process.send?.({
  ports: {
    shared: await issuer((send) => send()),
    slow: await issuer((send) => setTimeout(send, 1000)),
    silent: await issuer(() => undefined)
  }
})
process.on("disconnect", () => process.exit())
