/**
 * The TCP segment in a packet: link, IPv4 or IPv6, and TCP headers taken off (RFC 9293, 791, 8200). Pure.
 */
import type { Packet } from "./CaptureFile.ts"

/** One segment of one direction. */
export interface Segment {
  /** `address:port` of its sender and of its receiver. */
  readonly from: string
  readonly to: string
  /** Sequence number of its first byte. */
  readonly seq: number
  readonly isSyn: boolean
  readonly bytes: Buffer
}

/** Where the IP header begins, by link type; a function looks at the packet. */
const networkAt: Readonly<Record<number, number | ((bytes: Buffer) => number)>> = {
  0: 4,
  1: (bytes) => behindTags(bytes, 12),
  12: 0,
  14: 0,
  101: 0,
  108: 4,
  113: (bytes) => behindTags(bytes, 14),
  228: 0,
  229: 0,
  276: 20
}

const tags = new Set([0x8100, 0x88a8, 0x9100])

/** Behind the EtherType at `at`, and behind VLAN tags (IEEE 802.1Q). */
const behindTags = (bytes: Buffer, at: number): number => {
  let place = at
  while (place + 2 <= bytes.length && tags.has(bytes.readUInt16BE(place))) place += 4
  return place + 2
}

/** The segment in a packet; `undefined` for what is no TCP, or a fragment of a larger packet. */
export const segmentIn = ({ linkType, bytes }: Packet): Segment | undefined => {
  const where = networkAt[linkType]
  if (where === undefined) return undefined
  return segmentAt(bytes, typeof where === "number" ? where : where(bytes))
}

/** The segment in a packet of which only the bytes are known: Ethernet or IP, when every length in it is right. */
export const segmentOf = (bytes: Buffer): Segment | undefined => {
  for (const linkType of [101, 1, 113, 276]) {
    const where = networkAt[linkType]!
    const at = typeof where === "number" ? where : where(bytes)
    if (lengthSaid(bytes, at) === bytes.length - at) return segmentAt(bytes, at)
  }
  return undefined
}

/** Bytes of the IP packet at `at` as its header says it; -1 when there is none. */
const lengthSaid = (bytes: Buffer, at: number): number => {
  if (at + 40 > bytes.length) return -1
  const version = bytes[at]! >> 4
  if (version === 4 && (bytes[at]! & 15) >= 5 && bytes[at + 9] === TCP) return bytes.readUInt16BE(at + 2)
  return version === 6 && bytes[at + 6] === TCP ? 40 + bytes.readUInt16BE(at + 4) : -1
}

const TCP = 6

const segmentAt = (bytes: Buffer, at: number): Segment | undefined => {
  if (at + 20 > bytes.length) return undefined
  const version = bytes[at]! >> 4
  return version === 4 ? inV4(bytes, at) : version === 6 ? inV6(bytes, at) : undefined
}

const inV4 = (bytes: Buffer, at: number): Segment | undefined => {
  const isFragment = (bytes.readUInt16BE(at + 6) & 0x3fff) !== 0
  if (bytes[at + 9] !== TCP || isFragment) return undefined
  // The kernel may leave the length open where the card cuts the packets (TSO).
  const said = bytes.readUInt16BE(at + 2)
  const end = said === 0 ? bytes.length : Math.min(bytes.length, at + said)
  const address = (from: number) => bytes.subarray(from, from + 4).join(".")
  return inTcp(bytes.subarray(0, end), at + 4 * (bytes[at]! & 15), address(at + 12), address(at + 16))
}

const extensions = new Set([0, 43, 60])

const inV6 = (bytes: Buffer, at: number): Segment | undefined => {
  if (at + 40 > bytes.length) return undefined
  const said = bytes.readUInt16BE(at + 4)
  const end = said === 0 ? bytes.length : Math.min(bytes.length, at + 40 + said)
  let next = bytes[at + 6]!
  let place = at + 40
  while (extensions.has(next) && place + 8 <= end) {
    next = bytes[place]!
    place += 8 + 8 * bytes[place + 1]!
  }
  if (next !== TCP) return undefined
  const address = (from: number) =>
    `[${bytes
      .toString("hex", from, from + 16)
      .match(/..../g)!
      .join(":")}]`
  return inTcp(bytes.subarray(0, end), place, address(at + 8), address(at + 24))
}

const SYN = 2

const inTcp = (bytes: Buffer, at: number, from: string, to: string): Segment | undefined => {
  if (at + 20 > bytes.length) return undefined
  const start = at + 4 * (bytes[at + 12]! >> 4)
  if (start < at + 20) return undefined
  const isSyn = (bytes[at + 13]! & SYN) !== 0
  return {
    from: `${from}:${bytes.readUInt16BE(at)}`,
    to: `${to}:${bytes.readUInt16BE(at + 2)}`,
    // A SYN takes a number for itself (RFC 9293 3.4).
    seq: (bytes.readUInt32BE(at + 4) + (isSyn ? 1 : 0)) >>> 0,
    isSyn,
    bytes: bytes.subarray(Math.min(start, bytes.length))
  }
}
