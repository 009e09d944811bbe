/**
 * What a network says of the MACs and PIN blocks in its messages: where they are, in which messages, and what a MAC covers.
 * Data; keys, and whether a partner has any, are not part of a dialect.
 */

/** Where a MAC is and what it covers. */
export interface MacRules {
  /** Field of the MAC. `last`: the last bit of the message's last bitmap, 64 or 128 (ISO 8583, primary and secondary MAC). */
  readonly field: number | "last"
  /** Types of requests, advices, reversals and notices that carry a MAC; their repeats and answers do, too. */
  readonly messages: ReadonlyArray<number>
  /**
   * `message`: everything from the message type to the MAC field. `fields`: the fields below, one behind the other, as they
   * are. `cups`: the fields below, cleaned and joined as CUPS does (`CupsMacBlock`).
   */
  readonly text: "message" | "fields" | "cups"
  /** Fields covered, in order, for `fields` and `cups`; 0 is the message type. Those that are absent are left out. */
  readonly fields: ReadonlyArray<number>
  /** `binary`: the bytes of the MAC. `hex`: its bytes as upper-case hexadecimal characters. */
  readonly form: "binary" | "hex"
  /** Bytes of the MAC that are sent, from its left. */
  readonly bytes: number
}

/** One position of a field that says what a PIN block is, and what each of its values means. */
export interface PinStatement<Meaning extends string> {
  /** Position of the one character, from 0. */
  readonly at: number
  readonly values: { readonly [value: string]: Meaning }
}

/** Formats of PIN blocks, by the names of `PinBlockFormat`. */
export const pinFormats = ["iso0", "iso1", "iso3", "iso4", "unionPayWithoutPan"] as const

/** Where a PIN block is, and what the message says about it. */
export interface PinRules {
  readonly field: number
  /** Field that says the block's format and the cipher of its key. Left out: no field does. */
  readonly control?: {
    readonly field: number
    readonly format: PinStatement<(typeof pinFormats)[number]>
    readonly cipher?: PinStatement<"des" | "tdes" | "aes" | "sm4">
  }
}

/** See above. */
export interface SecurityRules {
  readonly mac?: MacRules
  readonly pin?: PinRules
}
