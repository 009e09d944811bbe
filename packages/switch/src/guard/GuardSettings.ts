/** What a link is told about MACs and PIN blocks: plain values, made by `operate/configuration`. Keys are in the key ring. */
import type { MacAlgorithm, MacRules, PinBlockFormat, PinRules } from "@jinka/codec"

/** How messages are held against their MACs, and how ours get theirs. */
export interface MacSettings extends MacRules {
  /** `required`: a missing one is a wrong one. `ifPresent`: only one that is there is looked at. */
  readonly receive: "required" | "ifPresent" | "none"
  readonly send: "always" | "none"
  readonly algorithm: MacAlgorithm
  /** What follows the MAC field is covered, too, and the field itself as zeros. Only of the text `message`. */
  readonly isZeroed: boolean
  /** The covered bytes are turned into hexadecimal characters before the MAC is made. */
  readonly isHexText: boolean
}

/** How PIN blocks go from one partner's zone into another's. */
export interface PinSettings extends PinRules {
  /** Format of the blocks that are sent, and of received ones whose message does not say another. */
  readonly format: PinBlockFormat
  /** Whose the partner's PIN keys are: an institution's (ZPK), or a terminal's (TPK). */
  readonly keys: "zone" | "terminal"
  /** Whether a block without the card number may be made of one that holds it. */
  readonly mayDropPan: boolean
}

/** What is done when MACs of one partner are wrong so many times in a row. */
export interface FailureRule {
  readonly after: number
  readonly act: "alarm" | "ask" | "signOff" | "nothing"
}

/** What is between a link and the rest of the switch. */
export interface GuardSettings {
  readonly mac: MacSettings | undefined
  readonly pin: PinSettings | undefined
  readonly failures: FailureRule
}
