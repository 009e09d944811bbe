/**
 * XML and JSON messages of a core system as opaque bytes: a few paths say what a switch must know (key, kind, response code), and
 * nothing else of the document is looked at or changed. The bytes go on as they came; documents are never written here. All of a
 * document counts as card data: there is no covered copy, only the length may be shown.
 */
import { XMLParser, XMLValidator } from "fast-xml-parser"
import { fromGbk } from "../encoding/Gbk.ts"
import type { RecordKind } from "./Record.ts"

/** A document message, as data. A path names elements or members down to a value: `Document/Head/MsgId`, `Document/@id`. */
export interface DocumentFormat {
  readonly name: string
  readonly syntax: "xml" | "json"
  /** How text stands in the bytes; `utf8` when left out. */
  readonly encoding?: "utf8" | "gbk"
  /** Values that identify a transaction in request and answer, in order. */
  readonly key: ReadonlyArray<string>
  /** Value that tells requests from answers; left out: the link's direction tells. */
  readonly kind?: { readonly path: string; readonly kinds: ReadonlyArray<RecordKind> }
  readonly responseCode?: string
  /** Most bytes; 65536 when left out. */
  readonly lengthMax?: number
}

/** Why a document is not taken. `path` names what is missing, ambiguous or unknown; "" for the whole. */
export interface DocumentInvalid {
  readonly _tag: "DocumentInvalid"
  readonly rule: "size" | "text" | "syntax" | "path" | "kind"
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

/** Numbers as they stand: an id of 20 digits must not lose one. */
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

/** Reads the documents of one format. */
export class DocumentCodec {
  readonly format: DocumentFormat
  readonly #kinds: ReadonlyMap<string, RecordKind>

  /** Throws a `TypeError` when the format names no key or an empty path. */
  constructor(format: DocumentFormat) {
    this.format = format
    this.#kinds = new Map(format.kind?.kinds.map((kind) => [kind.text, kind]))
    const paths = [...format.key, format.kind?.path, format.responseCode].filter((path) => path !== undefined)
    if (format.key.length === 0 || paths.some((path) => path.split("/").includes("")))
      throw new TypeError(`document ${format.name}: key paths like "Document/Head/MsgId" are expected`)
  }

  /** What `buffer[start, end)`, one whole document, says; an element that comes twice on a path is no value. */
  read(buffer: Buffer, start = 0, end = buffer.length): DocumentReading | DocumentInvalid {
    if (end - start > (this.format.lengthMax ?? 65_536)) return invalid("size")
    const text = textOf(this.format, buffer.subarray(start, end))
    if (text === undefined) return invalid("text")
    const document = parsed(this.format, text)
    if (typeof document !== "object" || document === null) return invalid("syntax")
    return this.#reading(document)
  }

  #reading(document: object): DocumentReading | DocumentInvalid {
    const { key: paths, kind: kindOf, responseCode } = this.format
    const values: Array<string> = []
    for (const path of paths) {
      const value = this.#value(document, path)
      if (value === undefined || value === "") return invalid("path", path)
      values.push(value.replace(/[\\|]/g, "\\$&"))
    }
    const kind = kindOf === undefined ? undefined : this.#kinds.get(this.#value(document, kindOf.path) ?? "")
    if (kindOf !== undefined && kind === undefined) return invalid("kind", kindOf.path)
    const code = responseCode === undefined ? "" : (this.#value(document, responseCode) ?? "")
    return { key: values.join("|"), kind, responseCode: code }
  }

  #value(document: object, path: string): string | undefined {
    const value = valueAt(document, path)
    return value !== undefined && this.format.syntax === "xml" ? unescapeXml(value) : value
  }
}
