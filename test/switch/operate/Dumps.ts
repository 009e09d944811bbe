/**
 * Bytes as tools print them, and as they are captured. The forms are those of the tools' own manuals and of jPOS's
 * `ISOUtil.hexdump`.
 */

const shown = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("")

const rows = (bytes: Buffer, width: number): ReadonlyArray<readonly [number, Buffer]> =>
  Array.from({ length: Math.ceil(bytes.length / width) }, (_, n) => [
    n * width,
    bytes.subarray(n * width, (n + 1) * width)
  ])

const pairs = (bytes: Buffer): ReadonlyArray<string> => [...bytes].map((byte) => byte.toString(16).padStart(2, "0"))

const offset = (at: number, digits: number, base = 16): string => at.toString(base).padStart(digits, "0")

const halves = (bytes: Buffer): string =>
  `${pairs(bytes.subarray(0, 8)).join(" ")}  ${pairs(bytes.subarray(8)).join(" ")}`.trimEnd()

const groups = (bytes: Buffer): string =>
  pairs(bytes).reduce((text, pair, n) => text + pair + (n % 2 === 1 ? " " : ""), "")

const lines = (all: ReadonlyArray<string>): string => `${all.join("\n")}\n`

/** `xxd`. */
export const xxd = (bytes: Buffer): string =>
  lines(
    rows(bytes, 16).map(([at, row]) =>
      `${offset(at, 8)}: ${groups(row).padEnd(41)} ${shown(row)}`.replace("  ", " ").padEnd(0)
    )
  )

/** `hexdump -C`, with `*` for rows that repeat themselves. */
export const hexdumpC = (bytes: Buffer): string => {
  let before = ""
  let isStarred = false
  const all = rows(bytes, 16).flatMap(([at, row]) => {
    const text = `${halves(row).padEnd(48)}  |${shown(row)}|`
    if (text === before && row.length === 16) {
      const star = isStarred ? [] : ["*"]
      isStarred = true
      return star
    }
    before = text
    isStarred = false
    return [`${offset(at, 8)}  ${text}`]
  })
  return lines([...all, offset(bytes.length, 8)])
}

/** `hexdump` alone: words of two bytes, the lower one first. */
export const hexdump = (bytes: Buffer): string => {
  const even = Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)])
  const words = (row: Buffer) => row.swap16().toString("hex").match(/..../g)!.join(" ")
  const all = rows(even, 16).map(([at, row]) => `${offset(at, 7)} ${words(Buffer.from(row))}`)
  return lines([...all, offset(bytes.length, 7)])
}

/** `od -t x1`: offsets of eight. */
export const od = (bytes: Buffer): string =>
  lines([
    ...rows(bytes, 16).map(([at, row]) => `${offset(at, 7, 8)} ${pairs(row).join(" ")}`),
    offset(bytes.length, 7, 8)
  ])

/** jPOS, as it is indented in its log. */
export const jpos = (bytes: Buffer): string =>
  lines(
    rows(bytes, 16).map(
      ([at, row]) => `    ${offset(at, 4).toUpperCase()}  ${`${halves(row)} `.padEnd(49)} ${shown(row)}`
    )
  )

/** Wireshark's "copy as hex dump". */
export const wireshark = (bytes: Buffer): string =>
  lines(rows(bytes, 16).map(([at, row]) => `${offset(at, 4)}   ${pairs(row).join(" ").padEnd(47)}   ${shown(row)}`))

/** `tcpdump -X` of one packet. */
export const tcpdumpX = (packet: Buffer): string =>
  lines([
    "12:34:56.789012 IP 127.0.0.1.7001 > 127.0.0.1.40000: Flags [P.], seq 1:99, ack 1, win 512, length 98",
    ...rows(packet, 16).map(([at, row]) => `\t0x${offset(at, 4)}:  ${groups(row).trimEnd().padEnd(39)}  ${shown(row)}`)
  ])

/** `tshark -q -z follow,tcp,hex,0`: what both sides said, in turns. */
export const followed = (turns: ReadonlyArray<readonly [side: 0 | 1, bytes: Buffer]>): string => {
  const lengths = [0, 0]
  const said = turns.flatMap(([side, bytes]) => {
    const from = lengths[side]!
    lengths[side] = from + bytes.length
    return rows(bytes, 16).map(
      ([at, row]) => `${side === 1 ? "\t" : ""}${offset(from + at, 8)}  ${halves(row).padEnd(48)}  ${shown(row)}`
    )
  })
  const rule = "=".repeat(67)
  return lines([
    rule,
    "Follow: tcp,hex",
    "Filter: tcp.stream eq 0",
    "Node 0: 127.0.0.1:40000",
    "Node 1: 127.0.0.1:7001",
    ...said,
    rule
  ])
}

/** One packet of a connection between two ports of one machine. */
export interface Sent {
  readonly from: number
  readonly to: number
  readonly seq: number
  readonly bytes: Buffer
  readonly isSyn?: boolean
}

/** The IPv4 packet. */
export const ipv4 = ({ from, to, seq, bytes, isSyn = false }: Sent): Buffer => {
  const packet = Buffer.alloc(40 + bytes.length)
  packet[0] = 0x45
  packet.writeUInt16BE(packet.length, 2)
  packet[8] = 64
  packet[9] = 6
  packet.set([127, 0, 0, 1, 127, 0, 0, 1], 12)
  packet.writeUInt16BE(from, 20)
  packet.writeUInt16BE(to, 22)
  packet.writeUInt32BE(seq >>> 0, 24)
  packet[32] = 0x50
  packet[33] = isSyn ? 2 : 0x18
  packet.set(bytes, 40)
  return packet
}

/** The IPv6 packet, with an extension header in front of TCP. */
export const ipv6 = (sent: Sent): Buffer => {
  const tcp = ipv4(sent).subarray(20)
  const packet = Buffer.alloc(48 + tcp.length)
  packet[0] = 0x60
  packet.writeUInt16BE(8 + tcp.length, 4)
  packet[6] = 0
  packet[23] = 1
  packet[39] = 1
  packet[40] = 6
  packet.set(tcp, 48)
  return packet
}

/** An Ethernet frame around an IP packet, with a VLAN tag. */
export const ethernet = (packet: Buffer): Buffer => {
  const type = packet[0]! >> 4 === 4 ? [0x08, 0x00] : [0x86, 0xdd]
  return Buffer.concat([Buffer.alloc(12), Buffer.from([0x81, 0x00, 0x00, 0x05, ...type]), packet])
}

/** A pcap file; link type 1 is Ethernet, 101 IP alone. */
export const pcap = (packets: ReadonlyArray<Buffer>, linkType = 101, isLittle = true): Buffer => {
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4)
    if (isLittle) bytes.writeUInt32LE(value)
    else bytes.writeUInt32BE(value)
    return bytes
  }
  const version = isLittle ? [2, 0, 4, 0] : [0, 2, 0, 4]
  const head = [u32(0xa1b2c3d4), Buffer.from(version), u32(0), u32(0), u32(65_535), u32(linkType)]
  return Buffer.concat([...head, ...packets.flatMap((one) => [u32(1), u32(0), u32(one.length), u32(one.length), one])])
}

/** A pcapng file with one interface. */
export const pcapng = (packets: ReadonlyArray<Buffer>, linkType = 101): Buffer => {
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    return bytes
  }
  const block = (type: number, body: Buffer) => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)])
    const length = u32(padded.length + 12)
    return Buffer.concat([u32(type), length, padded, length])
  }
  const section = block(0x0a0d0d0a, Buffer.concat([u32(0x1a2b3c4d), u32(1), u32(0xffffffff), u32(0xffffffff)]))
  const interfaceBlock = block(1, Buffer.concat([Buffer.from([linkType, 0, 0, 0]), u32(65_535)]))
  const names = block(4, Buffer.alloc(4))
  const enhanced = packets.map((one) =>
    block(6, Buffer.concat([u32(0), u32(0), u32(0), u32(one.length), u32(one.length), one]))
  )
  return Buffer.concat([section, interfaceBlock, names, ...enhanced])
}
