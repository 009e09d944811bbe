/**
 * `@jinka/codec`: frames, dialects and messages of ISO 8583. Pure and synchronous; nothing here opens a socket or a file.
 */
export { coverCardData, coverCardText, coverValueText, holdsTrack } from "./cover/CardData.ts"
export { coverRuns, coverRunsOfBytes, coverRunsOfHex, UNREAD_DIGITS_MIN } from "./cover/DigitRuns.ts"
export type { ByteKind } from "./cover/QuickLook.ts"
export { coverTyped } from "./cover/Typed.ts"
export * from "./dialects/Cups.ts"
export { type DialectChanges, derive, type FieldChange } from "./dialects/Derive.ts"
export type { DialectInvalid } from "./dialects/DialectCheck.ts"
export * from "./dialects/DialectFile.ts"
export { type FieldSummary, fieldSummaries } from "./dialects/FieldSummary.ts"
export * from "./dialects/Headers.ts"
export * from "./dialects/Iso8583V1987Ascii.ts"
export * from "./dialects/Iso8583V1993.ts"
export * from "./dialects/Iso8583V2003.ts"
export * from "./dialects/UnionPayPos.ts"
export * from "./dialects/YamlDocument.ts"
export * from "./dialects/YamlNesting.ts"
export * from "./dialects/YamlWords.ts"
export {
  type Diagnosis,
  type Evidence,
  EXAMINED_MAX,
  type ExamineOptions,
  examine,
  type LinkWords
} from "./doctor/Examine.ts"
export { type FrameCandidate, frameCandidates } from "./doctor/FrameCandidates.ts"
export * from "./encoding/Hex.ts"
export { readJson } from "./encoding/Json.ts"
export * from "./frame/FrameError.ts"
export {
  binaryFrame,
  cupsFrame,
  type DelimiterFrame,
  type FixedFrame,
  type FrameFormat,
  type LengthHeader,
  type SingleReadFrame,
  type UntilCloseFrame
} from "./frame/FrameFormat.ts"
export { Framer } from "./frame/Framer.ts"
export { frameOverhead } from "./frame/FrameShape.ts"
export type { FrameSink } from "./frame/FrameSink.ts"
export { frameTakes, idleFrame, wholeFrame, writeFrame } from "./frame/FrameWriter.ts"
export { type NamedFrame, namedFrames } from "./frame/NamedFrames.ts"
export type { Codec } from "./iso8583/Codec.ts"
export { compile, interpret } from "./iso8583/Compile.ts"
export * from "./iso8583/Describe.ts"
export {
  type BitmapFormat,
  type Dialect,
  isAcknowledged,
  isSuccess,
  type Layout,
  type MatchFields,
  matchFields,
  type Named,
  type NetworkCodes,
  type OriginalPart,
  type PartialReversals,
  type RefusalCodes,
  type ResponseClass,
  type ResponseCode,
  type ReversalReasons,
  type ReversalRecipe,
  responseClass
} from "./iso8583/Dialect.ts"
export {
  type EncodingDefaults,
  type FieldContent,
  type FieldDefinition,
  type FieldEncoding,
  type FieldLayout,
  fieldLayout,
  type PrefixEncoding,
  type SubfieldDefinition,
  type ValueEncoding
} from "./iso8583/Field.ts"
export { hasWholeTags, type PartJson } from "./iso8583/FieldParts.ts"
export { type HeaderFormat, type HeaderLayout, headerErrors, headerLayout } from "./iso8583/Header.ts"
export { type HeaderForm, type HeaderPart, type PlacedPart, partBytes, partValue } from "./iso8583/HeaderPart.ts"
export { answerHeader, type HeaderValues, readHeader, writeTotal } from "./iso8583/HeaderValues.ts"
export {
  carriedKeys,
  checkOf,
  type GivenKey,
  isKeyMessage,
  isKeyUnreadable,
  type KeyUnreadable,
  keyFields,
  keyMeaning
} from "./iso8583/KeyCarrier.ts"
export {
  type CarriedKey,
  type KeyAnswer,
  type KeyExchange,
  type KeyKind,
  type KeyMac,
  type KeyMessage,
  type KeyPart,
  type KeyPlace,
  type KeyStatement,
  keyCiphers,
  keyKinds
} from "./iso8583/KeyExchange.ts"
export * from "./iso8583/Message.ts"
export { explain, isMessageError, type MessageError, type Rule } from "./iso8583/MessageError.ts"
export { MessageIndex } from "./iso8583/MessageIndex.ts"
export * from "./iso8583/MessageJson.ts"
export * from "./iso8583/Mti.ts"
export { PatchInvalid } from "./iso8583/Patch.ts"
export { PatchList } from "./iso8583/PatchList.ts"
export {
  noTotals,
  type Reconciliation,
  type Totals,
  type TotalsKind,
  type TotalsPlaces,
  type TotalsSum,
  totalsKindOf,
  totalsKinds,
  totalsNet,
  totalsSums
} from "./iso8583/Reconciliation.ts"
export { hasTrack } from "./iso8583/Redact.ts"
export {
  isMoney,
  isReversible,
  originalData,
  originalPart,
  type PartialReversal,
  partialReversal,
  reversalMti,
  reversalSets
} from "./iso8583/Reversal.ts"
export { type AnswerRules, answerRulesOf, type Roles, rolesOf, standardRoles } from "./iso8583/Roles.ts"
export {
  type MacRules,
  type PinRules,
  type PinStatement,
  pinFormats,
  type SecurityRules
} from "./iso8583/Security.ts"
export { maskPan, reveal, Sensitive, type Sensitivity } from "./iso8583/Sensitive.ts"
export {
  type BerTlvStructure,
  type BitmapStructure,
  type PartDefinition,
  type PositionalStructure,
  type Structure,
  structureError,
  type TagDefinitions,
  type TagFixedStructure,
  type TagLengthValueStructure,
  type UsageValueStructure
} from "./iso8583/Structure.ts"
export * from "./record/Document.ts"
export * from "./record/Record.ts"
export * from "./security/index.ts"
export * from "./tlv/index.ts"
export * from "./views/AdditionalAmounts.ts"
export * from "./views/Amount.ts"
export * from "./views/DateTime.ts"
export * from "./views/Difference.ts"
export * from "./views/OriginalData.ts"
