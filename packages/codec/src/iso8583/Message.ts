/**
 * A decoded message: plain values by field number. Card data is held in `Sensitive`. Values given to `encode` may be covered
 * or plain.
 */
import type { HeaderValues } from "./HeaderValues.ts"
import type { Sensitive } from "./Sensitive.ts"

/** A field's value: text, or bytes for b fields (a view into the buffer it was decoded from), covered if it is card data. */
export type FieldValue = string | Uint8Array | Sensitive

/** Fields by number, 2..128 (192 with a third bitmap); other keys are not looked at. The bitmap is not among them. */
export interface Fields {
  [de: number]: FieldValue
}

/** A message of some dialect. */
export interface Message {
  /** Values of the dialect's header by part; parts left out are written with the dialect's own value. */
  header?: HeaderValues
  /** Outer header of a reject: the rest of the message is the original that was rejected. */
  rejected?: HeaderValues
  /** Four digits. */
  mti: string
  fields: Fields
}
