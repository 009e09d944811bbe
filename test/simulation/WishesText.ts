/**
 * Wishes as a person writes them: JSON, each value held against its rule. What a fault is made of beyond its kind and its time is
 * not looked at: `--shrink` prints them whole.
 */
import { Result, Schema } from "effect"
import { usualWeights as fleetWeights } from "./fleet/FleetFaults.ts"
import { PARTNERS_MAX, type Wishes } from "./Options.ts"
import { usualWeights } from "./world/Faults.ts"

const between = (minimum: number, maximum: number, what: string) =>
  Schema.Number.check(Schema.isBetween({ minimum, maximum }, { message: `${what} is expected` }))

/** A day: the longest time of anything in a world. */
const MS_MAX = 86_400_000

const chance = between(0, 1, "a chance from 0 to 1")
const ms = between(0, MS_MAX, `milliseconds, from 0 to ${MS_MAX},`)
const range = Schema.Tuple([ms, ms]).check(
  Schema.makeFilter(([least, most]) => least <= most || "the shorter time comes first")
)
const partners = between(1, PARTNERS_MAX, `a number of partners from 1 to ${PARTNERS_MAX}`).check(Schema.isInt())
const kinds = [...Object.keys(usualWeights), ...Object.keys(fleetWeights)]
const weight = between(0, 1000, "a whole weight from 0 to 1000").check(Schema.isInt())

const Wished = Schema.Struct({
  acquirers: Schema.optionalKey(partners),
  issuers: Schema.optionalKey(partners),
  nodes: Schema.optionalKey(Schema.Literals([1, 2])),
  chaos: Schema.optionalKey(ms),
  calm: Schema.optionalKey(ms),
  simplex: Schema.optionalKey(chance),
  groups: Schema.optionalKey(chance),
  short: Schema.optionalKey(chance),
  doors: Schema.optionalKey(chance),
  calls: Schema.optionalKey(chance),
  zones: Schema.optionalKey(chance),
  days: Schema.optionalKey(chance),
  devices: Schema.optionalKey(chance),
  losses: Schema.optionalKey(chance),
  acquirer: Schema.optionalKey(
    Schema.Struct({
      pause: Schema.optionalKey(range),
      answerWithin: Schema.optionalKey(ms),
      repeats: Schema.optionalKey(chance),
      lies: Schema.optionalKey(chance),
      leaves: Schema.optionalKey(chance)
    })
  ),
  issuer: Schema.optionalKey(
    Schema.Struct({
      declines: Schema.optionalKey(chance),
      keepsSilent: Schema.optionalKey(chance),
      answersTwice: Schema.optionalKey(chance),
      answersLate: Schema.optionalKey(chance),
      thinks: Schema.optionalKey(range),
      lateAfter: Schema.optionalKey(range),
      answersOnNewest: Schema.optionalKey(Schema.Boolean),
      unknownOriginal: Schema.optionalKey(Schema.String)
    })
  ),
  weights: Schema.optionalKey(
    Schema.Struct(Object.fromEntries(kinds.map((kind) => [kind, Schema.optionalKey(weight)])))
  ),
  faults: Schema.optionalKey(Schema.Array(Schema.Unknown))
})

const Timed = Schema.Struct({ kind: Schema.Literals(kinds), at: ms })

const decode = Schema.decodeUnknownResult(Wished, { onExcessProperty: "error" })
const decodeFault = Schema.decodeUnknownResult(Timed)

/** Reads wishes. Throws an `Error` that names the place and the rule of the first value that is wrong. */
export const parseWishes = (text: string): Wishes => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new Error(`the wishes are no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new Error("the wishes are no JSON object")
  const unknown = Object.keys(json).find((key) => !Object.hasOwn(Wished.fields, key))
  if (unknown !== undefined)
    throw new Error(`"${unknown}" is no wish; known are ${Object.keys(Wished.fields).join(", ")}`)
  const wished = decode(json)
  if (Result.isFailure(wished)) throw new Error(wished.failure.message)
  for (const fault of wished.success.faults ?? []) {
    const read = decodeFault(fault)
    if (Result.isFailure(read)) throw new Error(`faults: ${read.failure.message}`)
  }
  return wished.success as Wishes
}
