/**
 * What a running switch tells of its keys over its control socket, and what it is asked, as JSON with a schema. No key travels.
 */
import { keyCiphers, keyKinds } from "@jinka/codec"
import { Schema } from "effect"
import { Reason } from "./Reason.ts"

const Cipher = Schema.Literals(keyCiphers)
const shown = {
  version: Schema.Number,
  algorithm: Cipher,
  checkValue: Schema.String,
  /** Milliseconds since the epoch. */
  since: Schema.Number
}

/** One slot. */
const KeyLineReport = Schema.Struct({
  link: Schema.String,
  slot: Schema.String,
  current: Schema.NullOr(Schema.Struct(shown)),
  previous: Schema.NullOr(Schema.Struct({ ...shown, until: Schema.Number })),
  offered: Schema.NullOr(Schema.Struct(shown)),
  fitted: Schema.Struct({ current: Schema.Number, previous: Schema.Number, none: Schema.Number }),
  schedule: Schema.String
})

/** All slots. */
export const KeysReport = Schema.Struct({ keys: Schema.Array(KeyLineReport) })
/** See the schema. */
export type KeysReport = typeof KeysReport.Type

/** Who brings a key. */
export const Person = Schema.String.check(Schema.isPattern(/^(?!.*\d{8})[ -~]{1,60}$/))

const place = {
  purpose: Schema.Literals([...keyKinds, "kek"]),
  direction: Schema.Literals(["both", "send", "receive"])
}

/** A check value, or none. */
export const CheckValue = Schema.String.check(Schema.isPattern(/^(?:[0-9A-Fa-f]{4,10})?$/))

/** Components that a key has: nobody brings a whole one. */
export const COMPONENTS_MIN = 2
/** See above. */
export const COMPONENTS_MAX = 9

/** Asks for new keys. */
export const AskKeyRequest = Schema.Struct({
  purpose: Schema.optionalKey(Schema.Literals(keyKinds)),
  reason: Schema.optionalKey(Reason)
})

/** What became of each. */
export const AskedKeyReport = Schema.Struct({
  outcomes: Schema.Array(Schema.Struct({ isDone: Schema.Boolean, says: Schema.String }))
})

/** Brings a component, in hexadecimal, or a whole key as a device has it. */
export const ImportKeyRequest = Schema.Struct({
  ...place,
  algorithm: Cipher,
  component: Schema.optionalKey(
    Schema.Struct({
      number: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: COMPONENTS_MAX })),
      of: Schema.Int.check(Schema.isBetween({ minimum: COMPONENTS_MIN, maximum: COMPONENTS_MAX })),
      hex: Schema.String.check(Schema.isPattern(/^(?:[0-9A-Fa-f]{2}){8,32}$/))
    })
  ),
  text: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[!-~]{8,1024}$/))),
  checkValue: CheckValue,
  person: Person,
  reason: Schema.optionalKey(Reason)
})

/** What came of it. */
export const ImportedKeyReport = Schema.Struct({
  isWhole: Schema.Boolean,
  checkValue: Schema.String,
  says: Schema.String
})

/** Destroys the keys of a slot. */
export const RetireKeyRequest = Schema.Struct({ ...place, reason: Reason })

/** What came of it. */
export const RetiredKeyReport = Schema.Struct({ says: Schema.String })
