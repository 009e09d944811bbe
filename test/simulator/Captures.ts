/** Capture files for tests: TCP segments between two machines, as pcap or pcapng. The one with port 7801 is 10.0.0.2. */

/** One segment of a connection: `at` in milliseconds since 1970, and two ports. */
export interface Sent {
  readonly at: number
  readonly from: number
  readonly to: number
  readonly seq: number
  readonly bytes: Buffer
}
type Frame = readonly [at: number, frame: Buffer]

/** Packets over Ethernet and IPv4. */
export const framesOf = (packets: ReadonlyArray<Sent>): ReadonlyArray<Frame> =>
  packets.map(({ at, bytes, from, seq, to }) => {
    const frame = Buffer.alloc(14 + 20 + 20 + bytes.length)
    frame[14] = 0x45
    frame.writeUInt16BE(40 + bytes.length, 16)
    frame[23] = 6
    frame.set([10, 0, 0, from === 7801 ? 2 : 1], 26)
    frame.set([10, 0, 0, to === 7801 ? 2 : 1], 30)
    frame.writeUInt16BE(from, 34)
    frame.writeUInt16BE(to, 36)
    frame.writeUInt32BE(seq, 38)
    frame[46] = 0x50
    bytes.copy(frame, 54)
    return [at, frame]
  })

/** A little-endian pcap with microseconds. */
export const pcap = (frames: ReadonlyArray<Frame>): Buffer => {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt32LE(1, 20)
  const records = frames.map(([at, frame]) => {
    const record = Buffer.alloc(16)
    record.writeUInt32LE(Math.floor(at / 1000), 0)
    record.writeUInt32LE((at % 1000) * 1000, 4)
    record.writeUInt32LE(frame.length, 8)
    record.writeUInt32LE(frame.length, 12)
    return Buffer.concat([record, frame])
  })
  return Buffer.concat([header, ...records])
}

/** A pcapng of one interface whose times are nanoseconds, with a block that means nothing to us. */
export const pcapng =
  (isLittle: boolean) =>
  (frames: ReadonlyArray<Frame>): Buffer => {
    const words = (...values: ReadonlyArray<number>): Buffer => {
      const bytes = Buffer.alloc(4 * values.length)
      for (const [n, value] of values.entries()) bytes[isLittle ? "writeUInt32LE" : "writeUInt32BE"](value, 4 * n)
      return bytes
    }
    const halves = (...values: ReadonlyArray<number>): Buffer => {
      const bytes = Buffer.alloc(2 * values.length)
      for (const [n, value] of values.entries()) bytes[isLittle ? "writeUInt16LE" : "writeUInt16BE"](value, 2 * n)
      return bytes
    }
    const block = (type: number, body: Buffer): Buffer => {
      const filled = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)])
      const length = words(filled.length + 12)
      return Buffer.concat([words(type), length, filled, length])
    }
    const name = Buffer.concat([halves(2, 3), Buffer.from("en0\0")])
    const resolution = Buffer.concat([halves(9, 1), Buffer.from([9, 0, 0, 0])])
    const records = frames.map(([at, frame]) => {
      const nanoseconds = at * 1e6
      const high = Math.floor(nanoseconds / 2 ** 32)
      return block(6, Buffer.concat([words(0, high, nanoseconds % 2 ** 32, frame.length, frame.length), frame]))
    })
    return Buffer.concat([
      block(0x0a0d0d0a, Buffer.concat([words(0x1a2b3c4d), halves(1, 0), words(0xffffffff, 0xffffffff)])),
      block(1, Buffer.concat([halves(1, 0), words(0), name, resolution, halves(0, 0)])),
      block(5, words(0, 0, 0)),
      ...records
    ])
  }
