/**
 * The public names of the tagged values: BER-TLV with the EMV tags, and the other tagging styles of a network. Pure; errors are
 * returned. It declares nothing itself.
 */
export * from "./BerTlv.ts"
export { type EmvFormat, type EmvTag, emvTags, type TlvSensitivity } from "./EmvTags.ts"
export {
  cupsF62List,
  readTagged,
  splitFixed,
  TAGGED_LENGTH_MAX,
  type TagFixed,
  type TaggedValue,
  type Tagging,
  type TagLengthValue,
  type UsageValue,
  usageLengthValue,
  usageValue,
  writeTagged
} from "./Tagging.ts"
export { isTlv, TLV_TAG_LENGTH_MAX, TlvCursor } from "./TlvCursor.ts"
export { explainTlvInvalid, isTlvInvalid, type TlvInvalid, type TlvRule, tlvInvalid } from "./TlvError.ts"
export {
  emvTagRules,
  openTlv,
  type RedactionOptions,
  redactTlv,
  type TagRule,
  type TagRules,
  withoutSadTlv
} from "./TlvRedaction.ts"
