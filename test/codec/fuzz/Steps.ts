/**
 * Prints as JSON how many steps (branches of the codec's source and of generated code, and bytes that native calls copy) each
 * operation takes for inputs of one size and of twice that size. Counts, no times: the same on every machine.
 */
import { clear, register, steps } from "./Coverage.ts"

register(true)
const codec = await import("@jinka/codec")

let copied = 0

/** Counts the bytes that a native call copies. */
const count = (holder: object, name: string, bytes: (self: Uint8Array, result: unknown) => number): void => {
  const of = holder as Record<string, (...values: Array<unknown>) => unknown>
  const native = of[name]!
  of[name] = function (this: Uint8Array, ...values: Array<unknown>) {
    const result = native.apply(this, values)
    copied += bytes(this, result)
    return result
  }
}
const lengthOf = (_: unknown, result: unknown): number => (result as { readonly length: number }).length
for (const name of ["latin1Slice", "hexSlice", "utf8Slice", "toString"]) count(Buffer.prototype, name, lengthOf)
count(Buffer.prototype, "copy", (_, result) => result as number)
count(Buffer, "concat", lengthOf)
count(Buffer, "from", lengthOf)
count(Uint8Array.prototype, "slice", lengthOf)
const set = Uint8Array.prototype.set
Uint8Array.prototype.set = function (source, at) {
  copied += source.length
  set.call(this, source, at)
}

const repeat = (hex: string, times: number): Buffer => Buffer.from(hex.repeat(times), "hex")

/** A dialect whose field 48 holds up to 999 999 of something. */
const holding = (format: string, encoding: string) =>
  codec.compile(
    codec.derive(codec.iso8583v1987AsciiRaw, {
      name: "large",
      fields: { 48: { format, name: "large", encoding: encoding as "ascii", prefix: "ascii" } }
    })
  )

type Operation = (size: number) => () => unknown

/** Decodes and encodes by generated code, which the first turns make, and by the table; describes, covers, makes JSON. */
const field =
  (format: string, encoding: string, value: (size: number) => string | Uint8Array): Operation =>
  (size) => {
    const fast = holding(format, encoding)
    const table = codec.interpret(fast.dialect)
    const fields = { 3: "000000", 48: value(size) }
    const message = table.encode({ mti: "0200", fields })
    if (!Buffer.isBuffer(message)) throw new Error(JSON.stringify(message))
    const index = new codec.MessageIndex()
    const out = Buffer.alloc(2 * message.length)
    for (let turn = 0; turn < 70; turn++) {
      fast.decode(message)
      fast.encode({ mti: "0200", fields })
    }
    return () => {
      const decoded = fast.decode(message)
      if (codec.isMessageError(decoded)) throw new Error(JSON.stringify(decoded))
      fast.encode({ mti: "0200", fields })
      table.decode(message)
      table.encode({ mti: "0200", fields })
      fast.index(message, 0, message.length, index)
      fast.matchKey(index, [3, 48], out, 0)
      fast.redact(index, out, 0)
      codec.describe(fast, message)
      codec.messageFromJson(fast, codec.messageToJson(decoded, { reveal: true }))
    }
  }

const sink = { frame: () => {}, idle: () => {} }

/** A frame of `size` bytes that comes byte by byte. */
const frame =
  (format: Parameters<typeof codec.wholeFrame>[0]): Operation =>
  (size) => {
    const bytes = codec.wholeFrame(format, Buffer.alloc(size, 0x20))
    return () => {
      const framer = new codec.Framer(format)
      for (let at = 0; at < bytes.length; at++) {
        const error = framer.push(bytes.subarray(at, at + 1), sink)
        if (error !== undefined) throw new Error(codec.explainFrame(error))
      }
      framer.end(sink)
    }
  }

/** Chip data as deep as it may be, and wide. */
const tlv: Operation = (size) => {
  const bytes = Buffer.concat([repeat("9F36020001", size), repeat("E100", size), repeat("DF81020101", size)])
  return () => {
    const items = codec.decodeTlv(bytes)
    if (codec.isTlvInvalid(items)) throw new Error(items.rule)
    codec.encodeTlv(items)
    codec.redactTlv(bytes, 0, bytes.length)
  }
}

const lengthHeader = { ...codec.binaryFrame, lengthMax: 60_000 } as typeof codec.binaryFrame

const operations: Readonly<Record<string, Operation>> = {
  text: field("ans......999999", "ascii", (size) => "A ".repeat(size)),
  digits: field("n......999999", "ascii", (size) => "12".repeat(size)),
  ebcdic: field("ans......999999", "ebcdic", (size) => "A ".repeat(size)),
  packed: field("n......999999", "bcd", (size) => "12".repeat(size)),
  track: field("z......999999", "bcd", (size) => `${"12".repeat(size)}=`),
  chinese: field("ansb......999999", "gbk", (size) => "\u91d1A".repeat(size)),
  "half characters": field("ansb......999999", "gbk", (size) => "\udcff".repeat(size)),
  bytes: field("b......999999", "binary", (size) => Buffer.alloc(2 * size, 7)),
  hex: field("b......999999", "hex", (size) => Buffer.alloc(2 * size, 7)),
  "a frame byte by byte": frame(lengthHeader),
  "a delimited frame byte by byte": frame({
    kind: "delimiter",
    delimiter: "0D0A0D0B",
    lengthMax: 60_000,
    idle: "zero-length"
  }),
  "BER-TLV": tlv,
  "tagged values": (size) => {
    // A field that holds such values has at most 9999 bytes.
    const bytes = Buffer.from("AB001x".repeat(size >> 1))
    return () => {
      const tagged = codec.readTagged(codec.usageLengthValue, bytes)
      if ("_tag" in tagged) throw new Error(tagged.rule)
    }
  },
  "doctor, one stream": (size) => {
    const message = codec.compile(codec.iso8583v1987AsciiRaw).encode({ mti: "0200", fields: { 3: "000000" } }) as Buffer
    const one = codec.wholeFrame(codec.binaryFrame, message)
    const stream = Buffer.concat(Array.from({ length: size }, () => one))
    return () => codec.examine(stream)
  },
  "doctor, noise": (size) => {
    const noise = Buffer.from(Array.from({ length: 8 * size }, (_, at) => (Math.imul(at + 1, 0x9e3779b1) >>> 13) & 255))
    return () => codec.examine(noise)
  },
  "doctor, digits": (size) => {
    // Long enough for every shape to have the most frames that the doctor looks at: below, twice the bytes are more frames.
    const digits = Buffer.alloc(64 * size, 0x30)
    return () => codec.examine(digits)
  }
}

const counted = (run: () => unknown): number => {
  clear()
  copied = 0
  run()
  return steps() + copied
}

const size = Number(process.argv[2] ?? 1000)
const rows = Object.entries(operations).map(([name, make]) => {
  const [one, two] = [make(size), make(2 * size)]
  return [name, { one: counted(one), two: counted(two) }] as const
})
process.stdout.write(JSON.stringify(Object.fromEntries(rows)))
