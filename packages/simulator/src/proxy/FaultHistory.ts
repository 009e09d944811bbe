/**
 * The history of a proxy: one JSON object a line for every fault that befell a connection or message, and for every connection.
 *
 * Owns the line's form and reading it back: the checker joins it with the partners' histories. Card data is covered.
 */
import { type Codec, type MessageIndex, mtiText, shownField } from "@jinka/codec"
import { Schema } from "effect"
import { eachLine } from "../file/Lines.ts"

const Optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(schema)

/** One line. */
export const FaultLine = Schema.Struct({
  /** Milliseconds since 1970. */
  at: Schema.Finite,
  /**
   * What was done: a rule's verb, `began` and `ended` for a fault of bytes, or `connected`, `disconnected`, `refused`,
   * `shadowDown`, `unframed`, `set`, `cleared`.
   */
  did: Schema.String,
  /** From 1; 0: all of them. */
  connection: Schema.Finite,
  direction: Optional(Schema.Literals(["toTarget", "fromTarget"])),
  /** The rule as it was written. */
  rule: Optional(Schema.String),
  mti: Optional(Schema.String),
  /** DE 11, DE 37: to find the message in other histories. */
  stan: Optional(Schema.String),
  rrn: Optional(Schema.String),
  /** Which message of its direction and connection, from 1. */
  message: Optional(Schema.Finite),
  /** Milliseconds that it was held back. */
  ms: Optional(Schema.Finite),
  /** Hex, card data covered: the message as it came, and as it went on where that differs. */
  before: Optional(Schema.String),
  after: Optional(Schema.String),
  says: Optional(Schema.String)
})
export type FaultLine = typeof FaultLine.Type

const decodeLine = Schema.decodeUnknownSync(Schema.fromJsonString(FaultLine))

/** Lines of a proxy's history. Throws a schema error that names the first line that is not one. */
export const parseFaultHistory = (text: string): ReadonlyArray<FaultLine> => eachLine(text, (line) => decodeLine(line))

/** What names a message in a line. */
export const namesOf = ({ layout }: Codec, index: MessageIndex): Pick<FaultLine, "mti" | "stan" | "rrn"> => {
  const { rrn, stan } = layout.roles
  return {
    mti: mtiText(index.mti),
    ...(index.has(stan) ? { stan: shownField(layout, index, stan) } : {}),
    ...(index.has(rrn) ? { rrn: shownField(layout, index, rrn) } : {})
  }
}
