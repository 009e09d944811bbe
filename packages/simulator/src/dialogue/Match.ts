/** Whether a message is what a step expects: the differences, place by place. Pure; says no card data. */
import { answerHeader, explain, headerLayout, isRead, mtiText, readHeader, responseMti } from "@jinka/codec"
import { coveredValue } from "./Cover.ts"
import type { Expectation, Values } from "./Dialogue.ts"
import { macFieldOf, macWrong, pinWrong } from "./Keys.ts"
import {
  fieldText,
  headerStart,
  headerText,
  mtiOf,
  type Observed,
  type Part,
  partsOf,
  rejectedStart
} from "./Observed.ts"
import { fill, namedMessage, type Scope } from "./References.ts"
import type { WireFormat } from "./WireFormat.ts"

/** One thing that is not as expected. `id` is a row of the message: `mti`, `header.<part>`, `bitmap` or a data element. */
export interface Difference {
  readonly id: string
  readonly says: string
}

/** How a place is called in a sentence. */
const called = (id: string): string => (/^\d+$/.test(id) ? `DE ${id}` : id)

/**
 * Values of covered data elements are never shown, only their lengths; others are searched for card data. Of a message that does
 * not read, no long run of digits is shown.
 */
const shown = ({ codec }: WireFormat, id: string, value: string, isWhole = true): string => {
  const { fields, header } = codec.layout
  const field = fields[Number(id)]
  if (field !== undefined && field.sensitivity !== "none") return `${value.length} covered characters`
  const isBytes = field?.bytes ?? header?.byName[id.slice("header.".length)]?.form === "hex"
  return `"${coveredValue(value, { isBytes, isWhole, known: field?.known ?? Number.POSITIVE_INFINITY })}"`
}

/** What came in a message. */
const shownOf = ({ form, index, wrong }: Observed, id: string, came: string): string =>
  shown(form, id, came, wrong === undefined && isRead(form.codec.layout, index))

const compared = (
  message: Observed,
  id: string,
  allowed: ReadonlyArray<string>,
  came: string | undefined
): Difference | undefined => {
  if (came !== undefined && allowed.includes(came)) return undefined
  const wanted = allowed.map((value) => shown(message.form, id, value)).join(" or ")
  const got = came === undefined ? "it is not there" : `${shownOf(message, id, came)} came`
  return { id, says: `${called(id)}: ${wanted} expected, ${got}` }
}

/** A header part is compared without the spaces that fill it. */
const headers = (
  scope: Scope,
  message: Observed,
  start: number,
  values: Values
): ReadonlyArray<Difference | undefined> =>
  Object.entries(values).map(([name, value]) => {
    const came = headerText(message, start, name)?.trimEnd()
    return compared(message, `header.${name}`, [fill(scope, value).trimEnd()], came)
  })

/** The same bytes; on links of two dialects, the same value. */
const isSamePart = (one: Observed, first: Part, other: Observed, second: Part): boolean => {
  if (one.form.codec === other.form.codec)
    return one.bytes.compare(other.bytes, second.from, second.to, first.from, first.to) === 0
  if (/^\d+$/.test(first.id)) return fieldText(one, Number(first.id)) === fieldText(other, Number(first.id))
  return first.id !== "mti" || mtiOf(one) === mtiOf(other)
}

/** Places that differ from an earlier message although they were not named as changed. */
const sameBytes = (
  scope: Scope,
  message: Observed,
  name: string,
  changed: ReadonlyArray<string>
): ReadonlyArray<Difference> => {
  const earlier = namedMessage(scope, name)
  const ignored = new Set(changed)
  if (changed.some((id) => /^\d+$/.test(id))) {
    const total = message.form.codec.layout.header?.total?.name
    ignored.add("bitmap")
    if (total !== undefined) ignored.add(`header.${total}`)
  }
  const parts = new Map(partsOf(message).map((part) => [part.id, part]))
  const before = new Map(partsOf(earlier).map((part) => [part.id, part]))
  const isSameDialect = message.form.codec === earlier.form.codec
  const differences: Array<Difference> = []
  for (const id of new Set([...before.keys(), ...parts.keys()])) {
    // Header and bitmap of another dialect are another's.
    if (ignored.has(id) || (!isSameDialect && (id === "bitmap" || id.startsWith("header.")))) continue
    const was = before.get(id)
    const is = parts.get(id)
    if (was !== undefined && is !== undefined && isSamePart(message, is, earlier, was)) continue
    const how = was === undefined ? `"${name}" has none` : is === undefined ? "it is not there" : "its bytes differ"
    differences.push({ id, says: `${called(id)}: the same as in "${name}" expected, ${how}` })
  }
  return differences
}

const isAnswer = (
  scope: Scope,
  message: Observed,
  expectation: Expectation,
  name: string
): ReadonlyArray<Difference | undefined> => {
  const { form } = message
  const asked = namedMessage(scope, name)
  const { header } = form.codec.dialect
  const { approvalCode, responseCode } = form.codec.layout.roles
  const addresses =
    header === undefined ? [] : headers(scope, message, headerStart(message), answerHeaderOf(header, asked))
  const ownMac = expectation.mac === undefined ? 0 : macFieldOf(form, message.index)
  const echoes = form.codec.layout.defined.map(({ de }) => {
    // In these an answer says its own.
    if (de === approvalCode || de === responseCode || de === ownMac || expectation.fields[de] !== undefined)
      return undefined
    const was = fieldText(asked, de)
    const is = fieldText(message, de)
    const isKey = form.codec.dialect.match.transaction.includes(de) && mtiOf(asked).charAt(1) !== "8"
    if (was === undefined || (is === undefined && !isKey)) return undefined
    return compared(message, String(de), [was], is)
  })
  const mti = expectation.mti === undefined ? [mtiText(responseMti(Number(mtiOf(asked))))] : expectation.mti
  return [compared(message, "mti", mti, mtiOf(message)), ...addresses, ...echoes]
}

const answerHeaderOf = (header: Parameters<typeof readHeader>[0], asked: Observed): Values => {
  const { [headerLayout(header).total?.name ?? ""]: _, ...rest } = answerHeader(
    header,
    readHeader(header, asked.bytes, asked.index.start)
  )
  return rest
}

/** What of the message is not as expected, in the order of the message. */
export const differences = (scope: Scope, message: Observed, expectation: Expectation): ReadonlyArray<Difference> => {
  const rejected = rejectedStart(message)
  const found: Array<Difference | undefined> = []
  if (message.wrong !== undefined) {
    found.push({ id: "", says: `a readable message was expected: ${explain(message.wrong)}` })
  }
  if (expectation.rejected !== undefined) {
    if (rejected < 0) found.push({ id: "", says: "a reject was expected, with an outer header" })
    else found.push(...headers(scope, message, rejected, expectation.rejected))
  } else if (rejected >= 0) found.push({ id: "", says: "no reject was expected" })
  const { answerTo, mti, sameAs } = expectation
  if (mti !== undefined && answerTo === undefined) {
    found.push(
      compared(
        message,
        "mti",
        mti.map((one) => fill(scope, one)),
        mtiOf(message)
      )
    )
  }
  if (answerTo !== undefined) found.push(...isAnswer(scope, message, expectation, answerTo))
  if (sameAs !== undefined) found.push(...sameBytes(scope, message, sameAs, expectation.changed))
  found.push(...headers(scope, message, headerStart(message), expectation.header))
  for (const [de, values] of Object.entries(expectation.fields)) {
    const allowed = values.map((value) => fill(scope, value))
    found.push(compared(message, de, allowed, fieldText(message, Number(de))))
  }
  for (const [de, value] of Object.entries(expectation.differs)) {
    if (fieldText(message, Number(de)) === fill(scope, value)) {
      found.push({ id: de, says: `${called(de)}: a value of its own expected, the same came` })
    }
  }
  for (const [de, expression] of Object.entries(expectation.matches)) {
    const came = fieldText(message, Number(de)) ?? ""
    if (!new RegExp(`^(?:${expression})$`, "s").test(came)) {
      found.push({ id: de, says: `${called(de)}: /${expression}/ expected, ${shownOf(message, de, came)} came` })
    }
  }
  const guarded = [
    expectation.mac === undefined ? undefined : macWrong(scope.keys, expectation.mac, message),
    expectation.pin === undefined ? undefined : pinWrong(scope.keys, expectation.pin, message)
  ]
  for (const wrong of guarded) if (wrong !== undefined) found.push({ id: String(wrong.de), says: wrong.says })
  for (const de of expectation.present) {
    if (!message.index.has(de)) found.push({ id: String(de), says: `DE ${de}: expected, it is not there` })
  }
  for (const de of expectation.absent) {
    if (message.index.has(de)) found.push({ id: String(de), says: `DE ${de}: not expected, it is there` })
  }
  return found.filter((difference) => difference !== undefined)
}
