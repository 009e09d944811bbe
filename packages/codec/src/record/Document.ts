/**
 * XML and JSON messages of a core system as opaque bytes: a few paths say what a switch must know (key, kind, response code) and
 * what it must not keep (card data), and nothing else of the document is looked at or changed. The bytes go on as they came;
 * the only documents written here are covered copies. Without a list of what is covered all of a document counts as card data.
 */
import { XMLParser, XMLValidator } from "fast-xml-parser"
import { fromGbk, gbkLength, writeGbk } from "../encoding/Gbk.ts"
import { repeatedMember } from "../encoding/Json.ts"
import { coveredRanges, coverText } from "./DocumentCover.ts"
import type { RecordKind } from "./Record.ts"

/** A document message, as data. A path names elements or members down to a value: `Document/Head/MsgId`, `Document/@id`. */
export interface DocumentFormat {
  readonly name: string
  readonly syntax: "xml" | "json"
  /** How text is written in the bytes; `utf8` when left out. */
  readonly encoding?: "utf8" | "gbk"
  /** Values that identify a transaction in request and answer, in order. */
  readonly key: ReadonlyArray<string>
  /** Value that tells requests from answers; left out: the link's direction tells. */
  readonly kind?: { readonly path: string; readonly kinds: ReadonlyArray<RecordKind> }
  readonly responseCode?: string
  /**
   * Paths of card data: covered with asterisks in a redacted copy, in every occurrence and with all that is below. A path
   * that begins with two asterisks and a slash, such as one ending in `CardNo`, covers that name wherever it is.
   */
  readonly covered?: ReadonlyArray<string>
  /** Most bytes; 65536 when left out. */
  readonly lengthMax?: number
}

/**
 * Why a document is not taken. `path` names what is missing, ambiguous or unknown; "" for the whole. Of a member that is there
 * twice it is the place, as "line 1, column 20": names that are not the format's may hold anything.
 */
export interface DocumentInvalid {
  readonly _tag: "DocumentInvalid"
  readonly rule: "size" | "text" | "syntax" | "twice" | "path" | "kind" | "covered"
  readonly path: string
}

/** What a switch needs of a document. */
export interface DocumentReading {
  /** The key's values with "|" between them; `\` and "|" inside a value are written with `\` in front. */
  readonly key: string
  readonly kind: RecordKind | undefined
  /** "" when the format has none or the document does not carry it (a request). */
  readonly responseCode: string
}

const invalid = (rule: DocumentInvalid["rule"], path = ""): DocumentInvalid => ({ _tag: "DocumentInvalid", rule, path })

/** Texts stay texts (no numbers, no entities from a DTD), prefixes of namespaces are left out. */
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  trimValues: true
})

const predefined: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" }

const unescapeXml = (text: string): string =>
  text.replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => predefined[name] ?? "")

/** Numbers as they are: an id of 20 digits must not lose one. */
const asWritten = (_: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === "number" ? (context?.source ?? String(value)) : value

const parsed = ({ syntax }: DocumentFormat, text: string): unknown => {
  try {
    if (syntax === "json") return JSON.parse(text, asWritten as (key: string, value: unknown) => unknown)
    // A DTD can make a document of a few bytes into one of gigabytes; no message needs one.
    if (/<!DOCTYPE|<!ENTITY/i.test(text) || XMLValidator.validate(text) !== true) return undefined
    return parser.parse(text)
  } catch {
    // The parsers' own words may repeat the document.
    return undefined
  }
}

const valueAt = (document: unknown, path: string): string | undefined => {
  let place = document
  for (const name of path.split("/")) {
    if (typeof place !== "object" || place === null || Array.isArray(place) || !Object.hasOwn(place, name))
      return undefined
    place = (place as { readonly [name: string]: unknown })[name]
  }
  // An element with attributes holds its text beside them.
  if (typeof place === "object" && place !== null && Object.hasOwn(place, "#text"))
    place = (place as { readonly "#text": unknown })["#text"]
  return typeof place === "string" ? place : undefined
}

const utf8 = new TextDecoder("utf-8", { fatal: true })

const textOf = ({ encoding }: DocumentFormat, bytes: Uint8Array): string | undefined => {
  if (encoding === "gbk") return fromGbk(bytes, 0, bytes.length)
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

const bomBytes = Buffer.from("EFBBBF", "hex")

/** The bytes of a text that was read; a mark of the byte order, which is not in the text, comes back. */
const bytesOf = ({ encoding }: DocumentFormat, text: string, source: Uint8Array): Buffer => {
  if (encoding !== "gbk") {
    const bytes = Buffer.from(text, "utf8")
    return bomBytes.equals(source.subarray(0, 3)) ? Buffer.concat([bomBytes, bytes]) : bytes
  }
  const bytes = Buffer.alloc(gbkLength(text))
  writeGbk(text, bytes, 0)
  return bytes
}

/** Reads the documents of one format. */
export class DocumentCodec {
  readonly format: DocumentFormat
  private readonly kinds: ReadonlyMap<string, RecordKind>
  private readonly covered: ReadonlyArray<ReadonlyArray<string>>

  /** Throws a `TypeError` when the format names no key or an empty path. */
  constructor(format: DocumentFormat) {
    this.format = format
    this.kinds = new Map(format.kind?.kinds.map((kind) => [kind.text, kind]))
    const covered = format.covered ?? []
    this.covered = covered.map((path) => path.split("/"))
    const named = covered.map((path) => path.replace(/^\*\*\//, ""))
    const paths = [...format.key, format.kind?.path, format.responseCode, ...named].filter((path) => path !== undefined)
    if (format.key.length === 0 || paths.some((path) => path.split("/").includes("")))
      throw new TypeError(`document ${format.name}: key paths like "Document/Head/MsgId" are expected`)
  }

  /**
   * What `buffer[start, end)`, one whole document, says. An XML element twice on a path is no value; a JSON object with
   * two members of one name is refused anywhere: each reader takes another one of them (RFC 8259 section 4 leaves it open).
   */
  read(buffer: Buffer, start = 0, end = buffer.length): DocumentReading | DocumentInvalid {
    const taken = this.take(buffer, start, end)
    if ("_tag" in taken) return taken
    const twice = this.format.syntax === "json" ? repeatedMember(taken.text) : undefined
    return twice === undefined ? this.reading(taken.document) : invalid("twice", twice)
  }

  /**
   * A copy of the same length whose card data, and XML comments and instructions, are covered: what may be kept. The format must
   * say what is card data; else, and for a document that cannot be read, there is no copy. An ambiguous one has one.
   */
  redact(buffer: Buffer, start = 0, end = buffer.length): Buffer | DocumentInvalid {
    if (this.format.covered === undefined) return invalid("covered")
    const taken = this.take(buffer, start, end)
    if ("_tag" in taken) return taken
    const { text } = taken
    const { syntax, encoding } = this.format
    const ranges = coveredRanges(syntax, text, this.covered)
    if (ranges === undefined) return invalid("covered")
    const lengthOf = encoding === "gbk" ? gbkLength : (part: string): number => Buffer.byteLength(part, "utf8")
    return bytesOf(this.format, coverText(text, ranges, syntax, lengthOf), buffer.subarray(start, end))
  }

  private take(
    buffer: Buffer,
    start: number,
    end: number
  ): { readonly text: string; readonly document: object } | DocumentInvalid {
    if (end - start > (this.format.lengthMax ?? 65_536)) return invalid("size")
    const text = textOf(this.format, buffer.subarray(start, end))
    if (text === undefined) return invalid("text")
    const document = parsed(this.format, text)
    return typeof document !== "object" || document === null ? invalid("syntax") : { text, document }
  }

  private reading(document: object): DocumentReading | DocumentInvalid {
    const { key: paths, kind: kindOf, responseCode } = this.format
    const values: Array<string> = []
    for (const path of paths) {
      const value = this.value(document, path)
      if (value === undefined || value === "") return invalid("path", path)
      values.push(value.replace(/[\\|]/g, "\\$&"))
    }
    const kind = kindOf === undefined ? undefined : this.kinds.get(this.value(document, kindOf.path) ?? "")
    if (kindOf !== undefined && kind === undefined) return invalid("kind", kindOf.path)
    const code = responseCode === undefined ? "" : (this.value(document, responseCode) ?? "")
    return { key: values.join("|"), kind, responseCode: code }
  }

  private value(document: object, path: string): string | undefined {
    const value = valueAt(document, path)
    return value !== undefined && this.format.syntax === "xml" ? unescapeXml(value) : value
  }
}
