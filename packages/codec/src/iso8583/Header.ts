/**
 * Headers that come before the MTI and belong to the message (not to the frame), as data: a list of parts, one behind the
 * other (`HeaderPart` says what a part may be). `headerLayout` resolves it; `HeaderValues` reads, checks and writes it.
 */
import { type HeaderPart, type PlacedPart, partBytes, writePart } from "./HeaderPart.ts"
import type { Rule } from "./MessageError.ts"

/** A header as data: its parts in order. */
export interface HeaderFormat {
  readonly name: string
  readonly parts: ReadonlyArray<HeaderPart>
}

/** A header with every place known. */
export interface HeaderLayout {
  readonly name: string
  readonly bytes: number
  readonly parts: ReadonlyArray<PlacedPart>
  readonly byName: { readonly [name: string]: PlacedPart }
  readonly fixed: ReadonlyArray<PlacedPart>
  /** Parts of digits, which are checked when reading; one that holds the length is checked with it. */
  readonly digits: ReadonlyArray<PlacedPart>
  /** The part that holds the length of the message. */
  readonly total: PlacedPart | undefined
  /** Bytes of header and message that the length does not count. */
  readonly notCounted: number
  readonly reject: PlacedPart | undefined
  /** The header of a reject: this one, or one that has more parts and is told by its fixed ones. */
  readonly outer: HeaderLayout
  /** Pairs `[to, from]`: what an answer takes from another part of the request. */
  readonly turned: ReadonlyArray<readonly [PlacedPart, PlacedPart]>
  /** Parts that have their own value again in an answer. */
  readonly renewed: ReadonlyArray<PlacedPart>
  readonly destination: PlacedPart | undefined
  readonly source: PlacedPart | undefined
}

/** What a part holds that says no value: spaces or zeros. */
const emptyValue = ({ form, bytes }: HeaderPart): string => (form === "hex" ? "00".repeat(bytes) : "")

const sizeError = ({ name, bytes, form }: HeaderPart): string | undefined => {
  if (typeof name !== "string" || name === "") return "a part has no name"
  if (!(Number.isInteger(bytes) && bytes >= 1 && bytes <= 255)) return `part ${name}: 1 to 255 bytes are expected`
  if (form === "binary" && bytes > 4) return `part ${name}: an integer has at most 4 bytes`
  return undefined
}

const valueError = (part: HeaderPart): string | undefined => {
  const { name, value = emptyValue(part), length, fixed, reject } = part
  if (length !== undefined) {
    if (part.form === "text" || part.form === "hex") return `part ${name}: a length is digits, bcd or binary`
    if (part.value !== undefined || fixed === true || reject === true)
      return `part ${name}: a length has no value of its own`
    return undefined
  }
  if (fixed === true && reject === true) return `part ${name}: a reject has another value there, so it is not \`fixed\``
  if ((fixed === true || reject === true) && part.value === undefined) return `part ${name} needs a value`
  const rule = writePart(part, value, new Uint8Array(part.bytes), 0)
  return rule === undefined ? undefined : `part ${name}: ${valueSentence(part, rule)}`
}

/** What is wrong with a value that is not its part's. */
const valueSentence = ({ bytes }: HeaderPart, rule: Rule): string => {
  const room = `${bytes} ${bytes === 1 ? "byte" : "bytes"}`
  switch (rule) {
    case "digits":
      return "its value has something else than the digits 0-9"
    case "hex":
      return `its value is ${2 * bytes} hex digits, for ${room}`
    case "text":
      return "its value has a character that takes more than one byte"
    default:
      return `its value has no room in ${room}`
  }
}

const roleErrors = ({ parts }: HeaderFormat): ReadonlyArray<string> => {
  const errors: Array<string> = []
  const only = (role: string, has: (part: HeaderPart) => boolean): void => {
    const names = parts.filter(has).map(({ name }) => name)
    if (names.length > 1) errors.push(`parts ${names.join(" and ")} are both ${role}`)
  }
  only("the length", ({ length }) => length !== undefined)
  only("the reject code", ({ reject }) => reject === true)
  only("the destination", ({ address }) => address === "destination")
  only("the source", ({ address }) => address === "source")
  for (const { name, answer, bytes, form, address, length } of parts) {
    if (address !== undefined && (form === "binary" || form === "hex" || length !== undefined))
      errors.push(`part ${name}: an address is text, digits or bcd`)
    if (answer === undefined || answer === "echo" || answer === "own") continue
    const other = parts.find((part) => part.name === answer)
    if (other === undefined) errors.push(`part ${name}: there is no part ${answer} to answer with`)
    else if (other.bytes !== bytes || other.form !== form)
      errors.push(`part ${name} cannot answer with ${answer}: their sizes or forms differ`)
  }
  return errors
}

/** The header of a reject, where it differs from the others. */
const rejectsOwn = ({ name, parts }: HeaderFormat): HeaderFormat | undefined =>
  parts.some(({ only, rejected }) => only !== undefined || rejected !== undefined)
    ? {
        name,
        parts: parts.map(({ only: _, rejected, ...part }) =>
          rejected === undefined ? part : { ...part, value: rejected }
        )
      }
    : undefined

const own = ({ name, parts }: HeaderFormat): HeaderFormat => ({
  name,
  parts: parts.filter(({ only }) => only === undefined).map(({ rejected: _, ...part }) => part)
})

const rejectErrors = ({ parts }: HeaderFormat): ReadonlyArray<string> => {
  const told = parts.filter(({ rejected }) => rejected !== undefined)
  const added = parts.filter(({ only }) => only !== undefined)
  if (added.length > 0 && told.length === 0)
    return [
      `part ${added[0]!.name} is in a reject only: a fixed part has to tell a reject by its value, give it \`rejected\``
    ]
  if (
    parts.findLastIndex(({ only }) => only === undefined) > parts.findIndex(({ only }) => only !== undefined) &&
    added.length > 0
  )
    return [`part ${added[0]!.name}: the parts that a reject has besides are behind all others`]
  return told.flatMap(({ name, fixed, only, value, rejected }) => {
    if (fixed !== true || only !== undefined) return [`part ${name}: \`rejected\` is for a fixed part of every header`]
    return value === rejected ? [`part ${name}: a reject is told by another value than ${value}`] : []
  })
}

/** Why a header makes no sense, all of it; each sentence names the part. */
export const headerErrors = (header: HeaderFormat): ReadonlyArray<string> => {
  const outer = rejectsOwn(header)
  if (outer === undefined) return formErrors(header)
  const wrong = rejectErrors(header)
  return wrong.length > 0 ? wrong : [...new Set([...formErrors(own(header)), ...formErrors(outer)])]
}

const formErrors = (header: HeaderFormat): ReadonlyArray<string> => {
  const { parts } = header
  if (parts.length === 0) return ["a header has at least one part"]
  const sizes = parts.flatMap((part) => sizeError(part) ?? [])
  if (sizes.length > 0) return sizes
  const twice = parts.filter(({ name }, at) => parts.findIndex((part) => part.name === name) < at)
  return [
    ...twice.map(({ name }) => `there are two parts ${name}`),
    ...parts.flatMap((part) => valueError(part) ?? []),
    ...roleErrors(header)
  ]
}

const resolve = (header: HeaderFormat): HeaderLayout => {
  const [wrong] = headerErrors(header)
  if (wrong !== undefined) throw new TypeError(`header ${header.name}: ${wrong}`)
  const outer = rejectsOwn(header)
  return outer === undefined ? placed(header) : placed(own(header), placed(outer))
}

const placed = (header: HeaderFormat, outer?: HeaderLayout): HeaderLayout => {
  let bytes = 0
  const parts = header.parts.map((part): PlacedPart => {
    const value = part.value ?? emptyValue(part)
    const offset = bytes
    bytes += part.bytes
    return { ...part, value, offset, usual: partBytes(part, value) ?? new Uint8Array(part.bytes) }
  })
  const byName = Object.fromEntries(parts.map((part) => [part.name, part]))
  const total = parts.find(({ length }) => length !== undefined)
  const reject = parts.find((part) => part.reject === true)
  const layout: Omit<HeaderLayout, "outer"> = {
    name: header.name,
    bytes,
    parts,
    byName,
    fixed: parts.filter(({ fixed }) => fixed === true),
    digits: parts.filter(({ form, length, fixed }) => (form === "digits" || form === "bcd") && !length && !fixed),
    total,
    notCounted: total?.length === "message" ? bytes : 0,
    reject,
    turned: parts.flatMap((part) =>
      part.answer === undefined || part.answer === "echo" || part.answer === "own"
        ? []
        : [[part, byName[part.answer]!] as const]
    ),
    renewed: parts.filter((part) => part.answer === "own" || part === reject),
    destination: parts.find(({ address }) => address === "destination"),
    source: parts.find(({ address }) => address === "source")
  }
  const made = layout as { -readonly [Key in keyof HeaderLayout]: HeaderLayout[Key] }
  made.outer = outer ?? made
  return made
}

const layouts = new WeakMap<HeaderFormat, HeaderLayout>()

/** A header resolved, made once. Throws a `TypeError` when it makes no sense. */
export const headerLayout = (header: HeaderFormat): HeaderLayout => {
  let made = layouts.get(header)
  if (made === undefined) {
    made = resolve(header)
    layouts.set(header, made)
  }
  return made
}
