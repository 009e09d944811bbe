/** Why an answer found no request that waited for it, in a form that travels: the control socket and `--json` print it. */
import { Schema } from "effect"

/** A data element of a request and of an answer, card data covered; "": not there. */
const Compared = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  request: Schema.String,
  answer: Schema.String
})

/** One answer. */
const WhyAnswer = Schema.Struct({
  seq: Schema.Number,
  /** ISO 8601, UTC. */
  at: Schema.String,
  /** late, unmatched, duplicateAnswer. */
  kind: Schema.String,
  link: Schema.String,
  mti: Schema.String,
  /** Its response code, or why it was not taken. */
  code: Schema.String,
  /** The reason in sentences. */
  says: Schema.String,
  /** Its request, or the one that is nearest to it; null: none has a field of the key in common with it. */
  nearest: Schema.NullOr(
    Schema.Struct({
      exchange: Schema.Number,
      at: Schema.String,
      /** Fields of the key that are the same, by number. */
      same: Schema.Array(Schema.String),
      /** Fields of the key that differ. */
      differs: Schema.Array(Compared)
    })
  )
})
/** See the schema. */
export type WhyAnswer = typeof WhyAnswer.Type

/** All that fit, newest first. */
export const WhyReport = Schema.Struct({ answers: Schema.Array(WhyAnswer) })
export type WhyReport = typeof WhyReport.Type
