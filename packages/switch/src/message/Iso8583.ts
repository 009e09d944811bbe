/** ISO 8583 as the language of a link: every dialect, by its own data. */
import {
  answerHeader,
  type Codec,
  frameTakes,
  type HeaderValues,
  isAcknowledged,
  isMessageError,
  isMoney,
  isRepeat,
  isReversible,
  isSuccess,
  type Message,
  type MessageError,
  MessageIndex,
  PatchList,
  partialReversal,
  type Roles,
  readHeader,
  repeatMti,
  resolveDateTime,
  responseClass
} from "@jinka/codec"
import { type Address, addresses, addressing } from "./Addressing.ts"
import * as Answer from "./Answer.ts"
import { wrongEcho } from "./Echo.ts"
import { formatErrorAnswer } from "./FormatError.ts"
import { Identity } from "./Identity.ts"
import {
  type Language,
  type LanguageSettings,
  type Original,
  receivedFieldsOf,
  type Stamp,
  sentFieldsOf
} from "./Language.ts"
import { Naming } from "./Naming.ts"
import * as Reversal from "./Reversal.ts"
import { restoreSealedFields, sealedOf, takeOutCovered, writeSealedFields } from "./SealedFields.ts"
import { sizedStan } from "./Stamp.ts"

/** Of each character: 1 when response codes are made of it, in every edition; spaces and other bytes say nothing. */
const codeCharacters = Uint8Array.from({ length: 256 }, (_, at) =>
  /[0-9A-Za-z]/.test(String.fromCharCode(at)) ? 1 : 0
)

/** Whether a text is a response code. A table takes half the time of a regular expression. */
const isCode = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) if (codeCharacters[text.charCodeAt(at)] !== 1) return false
  return text !== ""
}

/** The key of what a partner sends: that of its network, and what tells its callers apart. */
const withCallers = (key: ReadonlyArray<number>, callers: ReadonlyArray<number>): ReadonlyArray<number> =>
  callers.length === 0 ? key : [...key, ...callers]

/** Classes of response codes after which a message is tried again: the far side could not say what became of it. */
const notFinal = new Set(["R", "T", "X", "K"])

/** What a call makes on its way to its result: one for all links, because no call outlives itself. */
const patches = new PatchList()
const made = new MessageIndex()
/** The result of `withStan`. */
const renamed = new MessageIndex()
let renamedBytes = Buffer.allocUnsafeSlow(1024)

/** The language of one link; see `Language`. */
export class Iso8583 implements Language {
  readonly name
  readonly form
  readonly edition
  readonly frame
  readonly refusal
  readonly approved
  readonly hasOwnStan
  readonly reversed
  readonly receivedFields
  readonly isKeyNamed
  readonly sentFields
  readonly receivedManagementFields
  readonly sentManagementFields
  private readonly naming: Naming
  private readonly identity: Identity
  /** The transmission time is in the key of transactions, and of network management. */
  private readonly isTimed: boolean
  private readonly isManagementTimed: boolean
  private readonly settings: LanguageSettings
  private readonly codec: Codec
  /** Covered data elements that are sealed for a restart. */
  private readonly sealed: ReadonlyArray<number>
  private readonly roles: Roles
  private readonly panField: ReadonlyArray<number>
  /** What every message that leaves has in its header: the partner's name and ours. */
  private readonly addressing: ReadonlyArray<Address>

  constructor(settings: LanguageSettings) {
    const { codec, frame, institution, ourInstitution } = settings
    const { dialect } = codec
    this.settings = settings
    this.naming = new Naming(settings)
    this.identity = new Identity(codec)
    this.codec = codec
    this.roles = codec.layout.roles
    this.panField = [this.roles.pan]
    this.frame = frame
    this.name = dialect.name
    this.form = dialect
    this.edition = dialect.version
    this.refusal = dialect.refusal
    this.approved = codec.layout.answers.approved
    this.hasOwnStan = settings.stan === "own"
    this.sentFields = dialect.match.transaction
    this.isTimed = this.sentFields.includes(this.roles.transmissionTime)
    this.isManagementTimed = dialect.match.networkManagement.includes(this.roles.transmissionTime)
    this.receivedFields = withCallers(this.sentFields, settings.callers)
    const names = [this.roles.acquirer, this.roles.forwarder]
    const isChecked = settings.identity === "checked" && settings.speaksFor !== "any"
    this.isKeyNamed = isChecked && this.sentFields.some((de) => names.includes(de))
    this.sentManagementFields = dialect.match.networkManagement
    this.receivedManagementFields = withCallers(this.sentManagementFields, settings.callers)
    this.sealed = sealedOf(codec, this.receivedFields)
    this.addressing = addressing(dialect, institution, ourInstitution)
    this.reversed = dialect.reversal === undefined ? undefined : Reversal.takenOver(dialect.reversal)
  }

  index(bytes: Buffer, start: number, end: number, into: MessageIndex): MessageError | undefined {
    return this.codec.index(bytes, start, end, into)
  }

  takes(bytes: Buffer, from = 0, to = bytes.length): boolean {
    return frameTakes(this.frame, bytes, from, to)
  }

  isIdentified(index: MessageIndex): boolean {
    return this.identity.has(index)
  }

  managementCode(index: MessageIndex): string {
    const field = this.codec.dialect.network?.field
    return field === undefined ? "" : index.text(field)
  }

  missing(index: MessageIndex): string | undefined {
    const de = sentFieldsOf(this, index.mti).find((field) => !index.has(field))
    return de === undefined ? undefined : `DE ${de}`
  }

  misnamed(index: MessageIndex): string | undefined {
    return this.naming.misnamed(index)
  }

  elsewhere(index: MessageIndex): string | undefined {
    return this.naming.elsewhere(index)
  }

  key(index: MessageIndex, fields: ReadonlyArray<number>, out: Buffer): number {
    return this.codec.matchKey(index, fields, out, 0)
  }

  transaction(index: MessageIndex): string {
    return Reversal.transactionOf(this.codec.layout, index)
  }

  ownTransaction(index: MessageIndex): string {
    return Reversal.ownTransactionOf(this.codec.layout, index)
  }

  original(index: MessageIndex): Original | undefined {
    const said = Reversal.originalOf(this.codec.layout, index)
    return said === undefined ? undefined : { said, mti: Number(said[0] ?? 0) }
  }

  originalKey(index: MessageIndex, { said }: Original, fields: ReadonlyArray<number>, out: Buffer): number {
    Reversal.patchOriginal(this.codec.layout, said, patches)
    return this.patched(index) ? this.key(made, fields, out) : 0
  }

  keyTime(index: MessageIndex): number {
    const fields = sentFieldsOf(this, index.mti)
    const isTimed = fields === this.sentFields ? this.isTimed : this.isManagementTimed
    return isTimed ? index.number(this.roles.transmissionTime) : 0
  }

  stan(index: MessageIndex): string {
    return index.text(this.roles.stan)
  }

  withStan(index: MessageIndex, stan: string, originalStan?: string): MessageIndex | undefined {
    const { codec } = this
    const { dialect, layout } = codec
    const original = originalStan === undefined ? undefined : Reversal.originalOf(layout, index)
    patches.clear()
    if (index.has(this.roles.stan)) patches.set(this.roles.stan, sizedStan(this.codec.layout, stan))
    if (original !== undefined)
      patches.set(dialect.reversal!.originalData.field, Reversal.withStan(layout, index, original, originalStan!))
    if (patches.count === 0) return index
    if (codec.checkPatches(patches) !== undefined) return undefined
    const length = codec.patchedLength(index, patches)
    if (length > renamedBytes.length) renamedBytes = Buffer.allocUnsafeSlow(2 * length)
    const written = codec.patch(index, patches, renamedBytes, 0)
    return codec.index(renamedBytes, 0, written, renamed) === undefined ? renamed : undefined
  }

  age(index: MessageIndex, nowMs: number): number {
    const { clockError } = this.codec.dialect
    if (clockError === undefined) return 0
    return Math.max(0, (this.sinceTransmission(index, nowMs) ?? 0) - 1000 * clockError)
  }

  sinceSent(index: MessageIndex, nowMs: number): number | undefined {
    return isRepeat(index.mti) ? undefined : this.sinceTransmission(index, nowMs)
  }

  /** Milliseconds since the time of DE 7, which has no year: the nearest one is meant; `undefined` where it is no time. */
  private sinceTransmission(index: MessageIndex, nowMs: number): number | undefined {
    if (!index.has(this.roles.transmissionTime)) return undefined
    const localMs = nowMs + this.settings.utcOffsetMs
    const sentMs = resolveDateTime(index.text(this.roles.transmissionTime), localMs, 0)
    return sentMs === undefined ? undefined : localMs - sentMs
  }

  receiver(index: MessageIndex): string {
    return index.text(this.roles.receiver)
  }

  leadingDigits(index: MessageIndex, digits: number): number {
    const { pan } = this.roles
    if (!index.has(pan)) return -1
    if (this.codec.layout.fields[pan]?.encoding !== "ascii") {
      const text = index.text(pan)
      return text.length < digits ? -1 : Number(text.slice(0, digits))
    }
    if (index.length(pan) < digits) return -1
    const from = index.from(pan)
    let value = 0
    for (let at = from; at < from + digits; at++) value = value * 10 + index.buffer[at]! - 0x30
    return value
  }

  cardNumber(index: MessageIndex, out: Buffer, at: number): number {
    return index.has(this.roles.pan) ? this.codec.matchKey(index, this.panField, out, at) : 0
  }

  code(index: MessageIndex): string | undefined {
    const code = index.text(this.roles.responseCode)
    return isCode(code) ? code : undefined
  }

  isSuccess(code: string): boolean {
    return isSuccess(this.codec.dialect, code)
  }

  isFinal(code: string): boolean {
    return !notFinal.has(responseClass(this.codec.dialect, code))
  }

  isAcknowledged(mti: number, code: string): boolean {
    return isAcknowledged(this.codec.dialect, mti, code)
  }

  difference(asked: Language, request: MessageIndex, answer: MessageIndex): string | undefined {
    return wrongEcho(this.codec.layout, asked.form === this.form, request, answer)
  }

  remains(index: MessageIndex): string {
    return Reversal.remainsOf(this.codec.layout, index)
  }

  isAboutSame(request: MessageIndex, about: MessageIndex): boolean {
    const { amount, pan } = this.roles
    const part = partialReversal(this.codec.layout, about)
    const isSame = (de: number, said: string) => !request.has(de) || said === "" || request.text(de) === said
    const said = (de: number) => (about.has(de) ? about.text(de) : "")
    return isSame(pan, said(pan)) && isSame(amount, typeof part === "object" ? part.original : said(amount))
  }

  answer(index: MessageIndex, code: string): Buffer {
    return this.written(index, Answer.patch(this.codec.layout, index, code, patches))
  }

  answerAgain(index: MessageIndex, stored: MessageIndex): Buffer | undefined {
    // What moves no money is asked for what its answer says: keys, totals, a balance. The rest of an approval is in its code.
    if (!this.isMoney(index) && !Answer.isWhole(this.codec.layout, stored)) return undefined
    Answer.patchAgain(this.codec.layout, index, stored, patches)
    return this.codec.checkPatches(patches) === undefined ? this.written(index, patches) : undefined
  }

  formatError(wrong: MessageError, bytes: Buffer, start: number, end: number): Buffer | undefined {
    return formatErrorAnswer(this.codec, wrong, bytes, start, end)
  }

  pass(bytes: Buffer, from: number, to: number, out: Buffer, at: number): void {
    bytes.copy(out, at, from, to)
    for (let n = 0; n < this.addressing.length; n++) {
      const { offset, value } = this.addressing[n]!
      for (let byte = 0; byte < value.length; byte++) out[at + offset + byte] = value[byte]!
    }
  }

  keep(index: MessageIndex): Buffer {
    patches.clear()
    if (isRepeat(index.mti)) patches.mti(index.mti - 1)
    for (const { part, value } of this.addressing) patches.header(part, value)
    return this.codec.withoutSad(index, patches)
  }

  resentLength(index: MessageIndex): number {
    patches.clear()
    return this.codec.patchedLength(index, patches)
  }

  resend(index: MessageIndex, again: boolean, out: Buffer, at: number): number {
    patches.clear()
    if (again) patches.mti(repeatMti(index.mti))
    return this.codec.patch(index, patches, out, at)
  }

  fields(index: MessageIndex, only?: ReadonlyArray<number>): Message | undefined {
    const { codec } = this
    let whole = index
    if (only !== undefined) {
      patches.clear()
      for (const { de, sensitivity } of codec.layout.defined)
        if (index.has(de) && (!only.includes(de) || sensitivity === "sad")) patches.remove(de)
      if (!this.patched(index)) return undefined
      whole = made
    }
    const message = codec.decode(whole.buffer, whole.start, whole.end)
    return isMessageError(message) ? undefined : message
  }

  /**
   * Data elements that this dialect does not define are left out. An answer turns its request's header around, and repeats of it
   * what the other dialect does not have: the partner finds its request by that.
   */
  translate({ mti, fields: all }: Message, request?: MessageIndex): Buffer | undefined {
    const { codec } = this
    const { dialect } = codec
    const fields = request === undefined ? {} : this.repeated(request)
    for (const [key, value] of Object.entries(all)) {
      const de = Number(key)
      if (dialect.fields[de] !== undefined) fields[de] = value
    }
    const bytes = codec.encode({ ...this.header(request), mti, fields })
    return isMessageError(bytes) ? undefined : bytes
  }

  isReversible(index: MessageIndex): boolean {
    return isReversible(this.codec.dialect, index.mti, index.text(this.roles.processingCode))
  }

  isMoney(index: MessageIndex): boolean {
    return isMoney(index.mti, index.text(this.roles.processingCode))
  }

  reversal(request: MessageIndex, { stan, nowMs, why }: Stamp): Buffer | undefined {
    const { codec, settings } = this
    const localMs = nowMs + settings.utcOffsetMs
    const own = { stan: sizedStan(this.codec.layout, stan), localMs, institution: settings.ourInstitution, why }
    Reversal.patch(codec.layout, request, own, patches)
    if (codec.checkPatches(patches) !== undefined || !this.patched(request)) return undefined
    return this.keep(made)
  }

  redact(index: MessageIndex, out: Buffer, at: number, found?: Array<number>): number {
    return this.codec.redact(index, out, at, found)
  }

  seal(index: MessageIndex, found: ReadonlyArray<number>, out: Buffer, at: number): number {
    const { codec, sealed } = this
    if (found.length === 0 && sealed.length === 0) return 0
    const written = writeSealedFields(codec, index, found, out, at)
    return written + writeSealedFields(codec, index, sealed, out, at + written)
  }

  restore(
    redacted: Buffer,
    cardNumber: string,
    sealed: Buffer,
    into: MessageIndex,
    only?: ReadonlyArray<number>
  ): boolean {
    const { codec } = this
    const message = sealed.length === 0 ? redacted : Buffer.from(redacted)
    if (codec.index(message, 0, message.length, into) !== undefined) return false
    patches.clear()
    takeOutCovered(codec, into, restoreSealedFields(sealed, into, message), patches, only)
    if (cardNumber !== "" && into.has(this.roles.pan)) patches.set(this.roles.pan, cardNumber)
    if (patches.count === 0) return true
    const bytes = this.written(into, patches)
    return codec.index(bytes, 0, bytes.length, into) === undefined
  }

  /** What an answer to the request repeats of it: the fields that the partner tells it by, and those of `echo`. */
  private repeated(request: MessageIndex): { [de: number]: Message["fields"][number] } {
    const { dialect, layout } = this.codec
    const fields: { [de: number]: Message["fields"][number] } = {}
    for (const de of [...receivedFieldsOf(this, request.mti), ...dialect.echo]) {
      if (!request.has(de)) continue
      fields[de] = layout.fields[de]?.bytes === true ? request.bytes(de) : request.text(de)
    }
    return fields
  }

  /** The header of a message that leaves: our addresses, and in an answer the rest of its request's header, turned around. */
  private header(request: MessageIndex | undefined): { readonly header?: HeaderValues } {
    const { institution, ourInstitution } = this.settings
    const { dialect } = this.codec
    const { header } = dialect
    if (header === undefined) return {}
    const turned = request === undefined ? {} : answerHeader(header, readHeader(header, request.buffer, request.start))
    return { header: { ...turned, ...addresses(dialect, institution, ourInstitution) } }
  }

  /** The message with changes, in bytes of its own. */
  private written(index: MessageIndex, changes: PatchList): Buffer {
    const out = Buffer.allocUnsafe(this.codec.patchedLength(index, changes))
    return out.subarray(0, this.codec.patch(index, changes, out, 0))
  }

  /** Makes the message with `patches` what `made` points to. */
  private patched(index: MessageIndex): boolean {
    const bytes = this.written(index, patches)
    return this.codec.index(bytes, 0, bytes.length, made) === undefined
  }
}
