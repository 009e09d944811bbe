/** Where a key is, never the key itself: an environment variable or a file. */
import { Schema } from "effect"
import { optional, Words } from "../text/Terms.ts"

/** A reference to a key. */
export const KeyDocument = Schema.Struct({
  env: optional(Words, "Name of the environment variable that holds the key as 64 hex digits."),
  file: optional(Words, "File that holds the key as 64 hex digits.")
})
/** See the schema. */
export type KeyDocument = typeof KeyDocument.Type
