/**
 * The TCP streams of a capture file, pcap or pcapng, with Ethernet, Linux cooked or raw IP packets. Written independently of the
 * switch's reader, and with times: what judges the switch shares no code with it.
 *
 * Owns what is in packets, and putting segments in order. A stream whose beginning was not captured begins with its first
 * segment. Pure.
 */
import { CaptureInvalid, packetsOf } from "./Packets.ts"

/** One piece of a stream, in order, once. */
export interface Segment {
  /** Milliseconds since 1970. */
  readonly at: number
  /** `address:port` of both ends. */
  readonly from: string
  readonly to: string
  readonly bytes: Buffer
}

/** Bytes before the IP packet, by the link type (https://www.tcpdump.org/linktypes.html). */
const linkHeaders = new Map([
  [1, 14],
  [12, 0],
  [101, 0],
  [0, 4],
  [113, 16],
  [276, 20]
])

const VLAN = 0x8100
const TCP = 6
const SYN = 0x02

interface TcpPacket {
  readonly from: string
  readonly to: string
  readonly sequence: number
  readonly isSyn: boolean
  readonly bytes: Buffer
}

const ipPacket = (linkType: number, packet: Buffer): Buffer | undefined => {
  const header = linkHeaders.get(linkType)
  if (header === undefined) return undefined
  const isTagged = linkType === 1 && packet.length > 18 && packet.readUInt16BE(12) === VLAN
  return packet.subarray(header + (isTagged ? 4 : 0))
}

const tcpOf = (ip: Buffer): TcpPacket | undefined => {
  if (ip.length < 20) return undefined
  const version = ip[0]! >> 4
  if (version === 6) return ip.length < 60 || ip[6] !== TCP ? undefined : tcp(ip, 40, 8, 16, 40 + ip.readUInt16BE(4))
  if (version !== 4 || ip[9] !== TCP) return undefined
  return tcp(ip, (ip[0]! & 15) * 4, 12, 4, ip.readUInt16BE(2))
}

const tcp = (ip: Buffer, at: number, addressAt: number, size: number, end: number): TcpPacket | undefined => {
  if (ip.length < at + 20) return undefined
  const address = (from: number): string => ip.subarray(from, from + size).join(".")
  const begins = at + (ip[at + 12]! >> 4) * 4
  return {
    from: `${address(addressAt)}:${ip.readUInt16BE(at)}`,
    to: `${address(addressAt + size)}:${ip.readUInt16BE(at + 2)}`,
    sequence: ip.readUInt32BE(at + 4),
    isSyn: (ip[at + 13]! & SYN) !== 0,
    // Short packets are filled up on Ethernet: the IP header says where they end. Zero: the network card cut it itself.
    bytes: ip.subarray(begins, end === 0 ? ip.length : Math.min(end, ip.length))
  }
}

/** One direction of a connection: segments wait until those before them have come. */
class Stream {
  private next: number | undefined
  private readonly early = new Map<number, { readonly at: number; readonly bytes: Buffer }>()

  /** Whether something waits for what has not come. */
  get isWaiting(): boolean {
    const { next = 0 } = this
    return [...this.early.keys()].some((sequence) => ((sequence - next) | 0) > 0)
  }

  take(at: number, { bytes, isSyn, sequence }: TcpPacket, give: (at: number, bytes: Buffer) => void): void {
    if (isSyn) {
      this.next = (sequence + 1) >>> 0
      this.early.clear()
      return
    }
    if (bytes.length === 0) return
    this.next ??= sequence
    const ahead = (sequence - this.next) | 0
    if (ahead > 0) {
      this.early.set(sequence, { at, bytes })
      return
    }
    // Of a segment that came again only what is new counts.
    if (bytes.length + ahead <= 0) return
    give(at, bytes.subarray(-ahead))
    this.next = (this.next + bytes.length + ahead) >>> 0
    const waiting = this.early.get(this.next)
    if (waiting === undefined) return
    this.early.delete(this.next)
    this.take(waiting.at, { bytes: waiting.bytes, sequence: this.next, isSyn: false, from: "", to: "" }, give)
  }
}

/**
 * The segments of all streams that have `port` at one end, in the order of the file; `lacks` hears what is missing of them, in a
 * sentence. Throws `CaptureInvalid`.
 */
export const segmentsOf = (
  file: Buffer,
  port: number,
  lacks: (says: string) => void = () => undefined
): ReadonlyArray<Segment> => {
  const streams = new Map<string, Stream>()
  const segments: Array<Segment> = []
  const wasCut = (): void => lacks("the file was cut off: its last packet is not whole, and is left out")
  for (const { at: time, bytes: captured, linkType } of packetsOf(file, wasCut)) {
    if (!linkHeaders.has(linkType)) throw new CaptureInvalid(`its link type ${linkType} is not known`)
    const ip = ipPacket(linkType, captured)
    const packet = ip === undefined ? undefined : tcpOf(ip)
    if (packet === undefined) continue
    const { from, to } = packet
    if (!from.endsWith(`:${port}`) && !to.endsWith(`:${port}`)) continue
    const name = `${from} ${to}`
    const stream = streams.get(name) ?? new Stream()
    streams.set(name, stream)
    stream.take(time, packet, (when, bytes) => segments.push({ at: when, from, to, bytes }))
  }
  for (const [name, { isWaiting }] of streams) {
    if (isWaiting)
      lacks(`${name.replace(" ", " to ")}: a packet is missing in the capture, and what came behind it is left out`)
  }
  return segments
}
