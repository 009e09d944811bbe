/**
 * The header of a key block (ANSI X9.143:2021, clause 6.3, before ASC X9 TR-31): what a key is for, in clear but
 * authenticated. Reading and writing of the text only; wrapping is in `KeyBlock.ts`.
 *
 * Values of usage, algorithm, mode and exportability are kept as they are, unknown ones too: a switch passes on what newer
 * editions add, and the caller decides what it accepts.
 */
import { drawRandom, type RandomBytes } from "./Random.ts"
import { isSecurityError, type SecurityError, securityError } from "./SecurityError.ts"

/**
 * How the block is protected. `A` and `C`: TDES, variants of the key. `B`: TDES, derived keys. `D`: AES, derived keys. `E`:
 * AES in counter mode (ISO 20038:2017). A is deprecated; use B or D for new links.
 */
export type KeyBlockVersion = "A" | "B" | "C" | "D" | "E"

/** One optional block: two letters or digits, and printable ASCII (at most 9,000 characters). "PB" is padding. */
export interface OptionalBlock {
  readonly id: string
  readonly content: string
}

/** What the header says about the key. All texts have the fixed length given. */
export interface KeyBlockHeader {
  readonly version: KeyBlockVersion
  /** 2 characters: `P0` PIN, `K0` key encryption, `M3` MAC algorithm 3, `B0` DUKPT base key ... */
  readonly usage: string
  /** 1 character: `T` TDES, `D` DES, `A` AES ... */
  readonly algorithm: string
  /** 1 character: `E` encrypt, `D` decrypt, `B` both, `C` MAC both, `G`, `V`, `X` derive, `N` no restriction ... */
  readonly mode: string
  /** 2 characters: version number of the key, `00` when not used, `c` and a digit for a component. */
  readonly keyVersion: string
  /** 1 character: `E` exportable under a trusted key, `N` not, `S` sensitive. */
  readonly exportability: string
  /** Without padding blocks, which are added when the block is written and dropped when it is read. */
  readonly optionalBlocks: ReadonlyArray<OptionalBlock>
}

/** Most characters of a key block: its length field has four digits. */
export const KEY_BLOCK_LENGTH_MAX = 9999

/** Characters of the fixed part of the header. */
export const KEY_BLOCK_HEADER_LENGTH_MIN = 16

const place = "key block header"

const invalid = (rule: string): SecurityError => securityError("KeyBlockInvalid", place, rule)

const shapes = {
  usage: /^[0-9A-Z]{2}$/,
  algorithm: /^[0-9A-Z]$/,
  mode: /^[0-9A-Z]$/,
  keyVersion: /^[0-9A-Za-z]{2}$/,
  exportability: /^[0-9A-Z]$/
} as const

const isPrintable = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)

/** The version letter, or undefined. */
export const keyBlockVersionOf = (letter: string | undefined): KeyBlockVersion | undefined =>
  letter === "A" || letter === "B" || letter === "C" || letter === "D" || letter === "E" ? letter : undefined

/** Header lengths are multiples of this: the cipher's block. */
const alignmentOf = (version: KeyBlockVersion): 8 | 16 => (version === "D" || version === "E" ? 16 : 8)

const checkShapes = (header: KeyBlockHeader): SecurityError | undefined => {
  for (const part of ["usage", "algorithm", "mode", "keyVersion", "exportability"] as const) {
    if (!shapes[part].test(header[part])) return invalid(`${part} is not of its fixed length of letters and digits`)
  }
  return undefined
}

/** A header read from a key block, and where it ends. */
export interface ReadKeyBlockHeader {
  readonly header: KeyBlockHeader
  /** Characters of the header with its optional blocks: the wrapped key begins here. */
  readonly headerLength: number
}

/** One optional block at `at`: its id, content and end. Length 00 means that a longer length follows (6.3.6). */
const readOptionalBlock = (
  text: string,
  at: number
): { readonly block: OptionalBlock; readonly end: number } | SecurityError => {
  const id = text.slice(at, at + 2)
  const short = text.slice(at + 2, at + 4)
  if (!/^[0-9A-Z]{2}$/.test(id) || !/^[0-9A-F]{2}$/.test(short)) {
    return invalid("an optional block begins with two letters or digits and a hexadecimal length")
  }
  let from = at + 4
  let length = Number.parseInt(short, 16)
  if (length === 0) {
    const long = /^02([0-9A-F]{4})/.exec(text.slice(from, from + 6))
    if (long === null) return invalid("an extended optional block has a length of four hexadecimal digits")
    length = Number.parseInt(long[1]!, 16)
    from += 6
  }
  const end = at + length
  if (end < from || end > text.length) return invalid("an optional block does not end within the key block")
  const content = text.slice(from, end)
  return isPrintable(content) ? { block: { id, content }, end } : invalid("an optional block is printable ASCII")
}

/**
 * Reads the header of a key block without its key: who it is for, before the key-encryption key is at hand. Nothing of it is
 * authenticated until the block is unwrapped.
 */
export const readKeyBlockHeader = (text: string): ReadKeyBlockHeader | SecurityError => {
  if (text.length > KEY_BLOCK_LENGTH_MAX) return invalid("a key block has at most 9999 characters")
  if (text.length < KEY_BLOCK_HEADER_LENGTH_MIN) return invalid("a key block begins with a header of 16 characters")
  const version = keyBlockVersionOf(text[0])
  if (version === undefined) return invalid("the version is one of A, B, C, D, E")
  if (text.slice(1, 5) !== String(text.length).padStart(4, "0")) {
    return invalid("the length in the header is not the length of the block")
  }
  if (!/^[0-9]{2}$/.test(text.slice(12, 14))) return invalid("the number of optional blocks has two digits")
  if (!isPrintable(text.slice(14, 16))) return invalid("the reserved characters are printable ASCII")
  const optionalBlocks: Array<OptionalBlock> = []
  let headerLength = KEY_BLOCK_HEADER_LENGTH_MIN
  for (let left = Number(text.slice(12, 14)); left > 0; left--) {
    const read = readOptionalBlock(text, headerLength)
    if (isSecurityError(read)) return read
    if (read.block.id !== "PB") optionalBlocks.push(read.block)
    headerLength = read.end
  }
  if (version !== "E" && headerLength % alignmentOf(version) !== 0) {
    return invalid("the header does not fill whole cipher blocks")
  }
  const header: KeyBlockHeader = {
    version,
    usage: text.slice(5, 7),
    algorithm: text.slice(7, 8),
    mode: text.slice(8, 9),
    keyVersion: text.slice(9, 11),
    exportability: text.slice(11, 12),
    optionalBlocks
  }
  return checkShapes(header) ?? { header, headerLength }
}

const writeOptionalBlock = (block: OptionalBlock): string => {
  const short = block.content.length + 4
  if (short <= 0xff) return `${block.id}${short.toString(16).toUpperCase().padStart(2, "0")}${block.content}`
  const long = block.content.length + 10
  return `${block.id}0002${long.toString(16).toUpperCase().padStart(4, "0")}${block.content}`
}

const checkOptionalBlocks = (blocks: ReadonlyArray<OptionalBlock>): SecurityError | undefined => {
  const seen = new Set<string>()
  for (const { id, content } of blocks) {
    if (id === "PB") return invalid("padding blocks are added by themselves")
    if (!/^[0-9A-Z]{2}$/.test(id) || seen.has(id))
      return invalid("optional block ids are two letters or digits, each once")
    if (!isPrintable(content) || content.length > 9000) {
      return invalid("an optional block is printable ASCII of at most 9000 characters")
    }
    seen.add(id)
  }
  return blocks.length <= 98 ? undefined : invalid("a key block has at most 98 optional blocks")
}

/** 6.3.6: a block "PB" of readable characters fills the header up to whole cipher blocks; drawn, they tell nothing. */
const paddingBlock = (length: number, alignment: number, random: RandomBytes): string | SecurityError => {
  const missing = (alignment - (length % alignment)) % alignment
  if (missing === 0) return ""
  const content = missing >= 4 ? missing - 4 : missing - 4 + alignment
  const bytes = drawRandom(random, content, place)
  if (isSecurityError(bytes)) return bytes
  const letters = Array.from(bytes, (byte) => (byte & 0x0f).toString(16).toUpperCase()).join("")
  return writeOptionalBlock({ id: "PB", content: letters })
}

/** Writes the header of a block whose wrapped key and MAC take `restLength` characters. */
export const writeKeyBlockHeader = (
  header: KeyBlockHeader,
  restLength: number,
  random: RandomBytes
): string | SecurityError => {
  const wrong = checkShapes(header) ?? checkOptionalBlocks(header.optionalBlocks)
  if (wrong !== undefined) return wrong
  const blocks = header.optionalBlocks.map(writeOptionalBlock).join("")
  const padding = paddingBlock(blocks.length, alignmentOf(header.version), random)
  if (isSecurityError(padding)) return padding
  const count = header.optionalBlocks.length + (padding === "" ? 0 : 1)
  const length = KEY_BLOCK_HEADER_LENGTH_MIN + blocks.length + padding.length + restLength
  if (length > KEY_BLOCK_LENGTH_MAX) return invalid("a key block has at most 9999 characters")
  const { version, usage, algorithm, mode, keyVersion, exportability } = header
  const fixed = `${version}${String(length).padStart(4, "0")}${usage}${algorithm}${mode}${keyVersion}${exportability}`
  return `${fixed}${String(count).padStart(2, "0")}00${blocks}${padding}`
}
