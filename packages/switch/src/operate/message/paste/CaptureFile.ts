/**
 * The packets of a capture file: pcap (in both byte orders, micro- and nanoseconds) and pcapng, as draft-ietf-opsawg-pcap and
 * draft-ietf-opsawg-pcapng describe them. Times are not read. Pure.
 *
 * A file that ends inside a record, as the file of a tcpdump that still runs does, gives the packets before that, and says so.
 */

/** A packet as it was on the wire, and the kind of its first bytes (https://www.tcpdump.org/linktypes.html). */
export interface Packet {
  readonly linkType: number
  readonly bytes: Buffer
}

/** What a capture file holds. */
export interface Capture {
  /** In their order. */
  readonly packets: ReadonlyArray<Packet>
  /** The file ends inside a packet. */
  readonly isCut: boolean
}

const pcapMagic = new Map<number, boolean>([
  [0xa1b2c3d4, false],
  [0xa1b23c4d, false],
  [0xd4c3b2a1, true],
  [0x4d3cb2a1, true]
])

const SECTION = 0x0a0d0d0a

/** Whether bytes begin like a capture file. */
export const isCaptureFile = (bytes: Buffer): boolean =>
  bytes.length >= 4 && (bytes.readUInt32BE(0) === SECTION || pcapMagic.has(bytes.readUInt32BE(0)))

/** Reads `bytes` that begin like a capture file. */
export const captureOf = (bytes: Buffer): Capture =>
  bytes.readUInt32BE(0) === SECTION ? ofBlocks(bytes) : ofRecords(bytes)

const u32 = (bytes: Buffer, at: number, isLittle: boolean): number =>
  isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)

const u16 = (bytes: Buffer, at: number, isLittle: boolean): number =>
  isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)

/** pcap: a header of 24 bytes, then records with a header of 16. */
const ofRecords = (bytes: Buffer): Capture => {
  if (bytes.length < 24) return { packets: [], isCut: true }
  const isLittle = pcapMagic.get(bytes.readUInt32BE(0))!
  // The upper bits tell of a frame check sequence.
  const linkType = u32(bytes, 20, isLittle) & 0xffff
  const packets: Array<Packet> = []
  let at = 24
  while (at + 16 <= bytes.length) {
    const to = at + 16 + u32(bytes, at + 8, isLittle)
    if (to > bytes.length) break
    packets.push({ linkType, bytes: bytes.subarray(at + 16, to) })
    at = to
  }
  return { packets, isCut: at < bytes.length }
}

const INTERFACE = 1
const OLD_PACKET = 2
const SIMPLE_PACKET = 3
const PACKET = 6

/** pcapng: blocks of type, length, body and length again; a section has a byte order and interfaces of its own. */
const ofBlocks = (bytes: Buffer): Capture => {
  const packets: Array<Packet> = []
  let isLittle = false
  let interfaces: Array<number> = []
  let at = 0
  while (at + 12 <= bytes.length) {
    if (bytes.readUInt32BE(at) === SECTION) {
      isLittle = bytes.readUInt32BE(at + 8) === 0x4d3c2b1a
      interfaces = []
    }
    const length = u32(bytes, at + 4, isLittle)
    if (length < 12 || at + length > bytes.length) break
    const body = bytes.subarray(at + 8, at + length - 4)
    const type = u32(bytes, at, isLittle)
    if (type === INTERFACE && body.length >= 2) interfaces.push(u16(body, 0, isLittle))
    else {
      const packet = packetIn(type, body, isLittle, interfaces)
      if (packet !== undefined) packets.push(packet)
    }
    // Blocks end at a multiple of four.
    at += length + ((4 - (length % 4)) % 4)
  }
  return { packets, isCut: at < bytes.length }
}

const packetIn = (
  type: number,
  body: Buffer,
  isLittle: boolean,
  interfaces: ReadonlyArray<number>
): Packet | undefined => {
  if (type === SIMPLE_PACKET && body.length >= 4) {
    const length = Math.min(u32(body, 0, isLittle), body.length - 4)
    return interfaces[0] === undefined ? undefined : { linkType: interfaces[0], bytes: body.subarray(4, 4 + length) }
  }
  if ((type !== PACKET && type !== OLD_PACKET) || body.length < 20) return undefined
  const linkType = interfaces[type === PACKET ? u32(body, 0, isLittle) : u16(body, 0, isLittle)]
  return linkType === undefined ? undefined : { linkType, bytes: body.subarray(20, 20 + u32(body, 12, isLittle)) }
}
