/**
 * The packets of a capture file with their times: pcap in both byte orders (draft-ietf-opsawg-pcap) and pcapng with any number of
 * sections and interfaces (draft-ietf-opsawg-pcapng).
 *
 * Owns the two formats. What a packet holds is the business of `Pcap.ts`. Pure.
 */

/** One packet as it was captured. */
export interface Packet {
  /** Milliseconds since 1970; 0 where the file has none. */
  readonly at: number
  /** https://www.tcpdump.org/linktypes.html */
  readonly linkType: number
  readonly bytes: Buffer
}

/** Why a file is no capture. */
export class CaptureInvalid extends Error {}

/** Magic numbers of pcap: whether the file is little-endian, and parts of a second. */
const magics = new Map<number, readonly [isLittle: boolean, parts: number]>([
  [0xa1b2c3d4, [false, 1e6]],
  [0xa1b23c4d, [false, 1e9]],
  [0xd4c3b2a1, [true, 1e6]],
  [0x4d3cb2a1, [true, 1e9]]
])

/** Reads numbers in the file's byte order. */
const numbersOf = (file: Buffer, isLittle: boolean) => ({
  u16: (at: number): number => (isLittle ? file.readUInt16LE(at) : file.readUInt16BE(at)),
  u32: (at: number): number => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at))
})

type Numbers = ReturnType<typeof numbersOf>

const pcapPackets = (file: Buffer, wasCut: () => void): ReadonlyArray<Packet> => {
  const magic = file.length < 24 ? undefined : magics.get(file.readUInt32BE(0))
  if (magic === undefined) throw new CaptureInvalid("it is neither a pcap nor a pcapng file")
  const [isLittle, parts] = magic
  const { u32 } = numbersOf(file, isLittle)
  const linkType = u32(20) & 0xffff
  const packets: Array<Packet> = []
  for (let at = 24; at < file.length; ) {
    const begins = at + 16
    const size = begins > file.length ? 0 : u32(at + 8)
    if (begins + size > file.length) {
      wasCut()
      break
    }
    const time = u32(at) * 1000 + (u32(at + 4) / parts) * 1000
    packets.push({ at: time, linkType, bytes: file.subarray(begins, begins + size) })
    at = begins + size
  }
  return packets
}

/** Types of the blocks of pcapng that are read; all others are passed over. */
const blocks = { section: 0x0a0d0d0a, interface: 1, simplePacket: 3, packet: 6 } as const

/** Tells the byte order of a section. */
const BYTE_ORDER = 0x1a2b3c4d

/** Code of the option that says how fine an interface's times are (`if_tsresol`). */
const TIME_RESOLUTION = 9

interface Interface {
  readonly linkType: number
  /** Parts of a second that its times count. */
  readonly parts: number
}

/** The interface of a block at `at` that ends at `end`. Without an option its times are microseconds. */
const interfaceAt = ({ u16 }: Numbers, file: Buffer, at: number, end: number): Interface => {
  let parts = 1e6
  for (let option = at + 16; option + 4 <= end - 4 && u16(option) !== 0; ) {
    const length = u16(option + 2)
    const resolution = file[option + 4]!
    if (u16(option) === TIME_RESOLUTION && length === 1)
      parts = resolution < 128 ? 10 ** resolution : 2 ** (resolution - 128)
    option += 4 + 4 * Math.ceil(length / 4)
  }
  return { linkType: u16(at + 8), parts }
}

const packetAt = ({ u32 }: Numbers, file: Buffer, at: number, end: number, faces: ReadonlyArray<Interface>) => {
  const face = faces[u32(at + 8)]
  const size = u32(at + 20)
  if (face === undefined || at + 28 + size > end) return undefined
  const time = ((u32(at + 12) * 4_294_967_296 + u32(at + 16)) / face.parts) * 1000
  return { at: time, linkType: face.linkType, bytes: file.subarray(at + 28, at + 28 + size) }
}

const simplePacketAt = ({ u32 }: Numbers, file: Buffer, at: number, end: number, faces: ReadonlyArray<Interface>) => {
  const face = faces[0]
  const size = Math.min(u32(at + 8), end - 4 - (at + 12))
  return face === undefined
    ? undefined
    : { at: 0, linkType: face.linkType, bytes: file.subarray(at + 12, at + 12 + size) }
}

const pcapngPackets = (file: Buffer, wasCut: () => void): ReadonlyArray<Packet> => {
  const packets: Array<Packet> = []
  let faces: Array<Interface> = []
  let numbers = numbersOf(file, true)
  for (let at = 0; at < file.length; ) {
    if (at + 12 > file.length) {
      wasCut()
      break
    }
    const isSection = file.readUInt32BE(at) === blocks.section
    if (isSection) {
      const isLittle = file.readUInt32LE(at + 8) === BYTE_ORDER
      if (!isLittle && file.readUInt32BE(at + 8) !== BYTE_ORDER) throw new CaptureInvalid("a section has no byte order")
      numbers = numbersOf(file, isLittle)
      faces = []
    }
    const end = at + numbers.u32(at + 4)
    if (end > file.length || end < at + 12) {
      wasCut()
      break
    }
    const type = isSection ? blocks.section : numbers.u32(at)
    if (type === blocks.interface) faces.push(interfaceAt(numbers, file, at, end))
    const packet =
      type === blocks.packet
        ? packetAt(numbers, file, at, end, faces)
        : type === blocks.simplePacket
          ? simplePacketAt(numbers, file, at, end, faces)
          : undefined
    if (packet !== undefined) packets.push(packet)
    at = end
  }
  return packets
}

/**
 * All packets, in the order of the file; what a cut file has of its last one is left out, and `wasCut` hears of it. Throws
 * `CaptureInvalid`.
 */
export const packetsOf = (file: Buffer, wasCut: () => void): ReadonlyArray<Packet> =>
  file.length >= 12 && file.readUInt32BE(0) === blocks.section ? pcapngPackets(file, wasCut) : pcapPackets(file, wasCut)
