/**
 * A dialogue written from what went by on a line: the connecting side becomes a partner that sends, what came back is what it
 * expects. Numbers and times become references, so that it runs again; card numbers become made-up ones under the same BIN, and
 * what authenticates a card is left out. Pure.
 */
import {
  coverCardText,
  isMessageError,
  isRequest,
  type Message,
  messageToJson,
  mtiText,
  readOriginalData,
  responseMti,
  toHex
} from "@jinka/codec"
import { luhnDigit } from "../chance/Cards.ts"
import { chanceOf } from "../chance/Chance.ts"
import type { Passed } from "../link/PassThrough.ts"
import { timePictures } from "../message/LocalTime.ts"
import type { MacSettings } from "../message/MessageMac.ts"
import { plainOriginal } from "../message/PlainOriginal.ts"
import { type DialogueKeys, macFieldOf, macWrong } from "./Keys.ts"
import { fieldText, mtiOf, type Observed, told } from "./Observed.ts"
import type { WireFormat } from "./WireFormat.ts"

/** What a recording is of. */
export interface Recording {
  readonly form: WireFormat
  /** How a dialogue names dialect and frame; the frame `undefined` where it is the dialect's usual one. */
  readonly dialect: string
  readonly frame: string | undefined
  readonly rule: string
  /** What made-up card numbers are drawn from. */
  readonly seed: number
  /** The key of the line's MACs; without it they are left out. */
  readonly mac?: MacSettings | undefined
  /** `tls` of the connecting partner as a dialogue writes it; left out where the target speaks none. */
  readonly tls?: string | undefined
}

/** A message that went by, with the name that steps call it by. */
interface Noted {
  readonly name: string
  readonly partner: string
  readonly side: "near" | "far"
  readonly message: Observed
  /** The message that it answers. */
  readonly asked: Noted | undefined
}

/** Quoted, as every value of a dialogue may be. */
const quoted = (text: string): string => JSON.stringify(text)

const mapText = (entries: ReadonlyArray<readonly [string, string]>): string =>
  `{ ${entries.map(([key, value]) => `${key}: ${value}`).join(", ")} }`

/** Writes a dialogue as it goes by. */
export class Recorded {
  private readonly recording: Recording
  private readonly steps: Array<string> = []
  private readonly noted: Array<Noted> = []
  private readonly partners = new Map<number, string>()
  private readonly free: Array<string> = []
  private readonly names = new Set<string>()
  private readonly leftOut = new Set<number>()
  private readonly keys: DialogueKeys
  private foreignMacs = 0

  constructor(recording: Recording) {
    this.recording = recording
    this.keys = recording.mac === undefined ? new Map() : new Map([[macKey, { _tag: "mac", ...recording.mac }]])
  }

  /** How many messages went by. */
  get messages(): number {
    return this.noted.length
  }

  /** Takes the next thing that went by. */
  take(passed: Passed): void {
    switch (passed._tag) {
      case "opened":
        this.steps.push(`${this.opened(passed.line)} connects`)
        return
      case "message":
        return this.message(this.partners.get(passed.line) ?? this.opened(passed.line), passed.from, passed.bytes)
      case "closed":
        return this.closed(passed.line, passed.from, passed.how)
      case "idle":
        // The far side sends idle frames when it likes, and a partner of a dialogue takes them without a word.
        if (passed.from === "near") this.steps.push(`${this.partners.get(passed.line)} sends idle frame`)
        return
      case "unreadable":
        this.steps.push(
          `# line ${passed.line}: bytes of the ${passed.from} side that are no frame; what follows is not recorded`
        )
    }
  }

  /** The dialogue recorded so far, as the text of its file. */
  text(): string {
    const { dialect, frame, mac, rule, tls } = this.recording
    const left = [...this.leftOut].sort((one, other) => one - other)
    const without = left.length === 0 ? [] : [`# Left out because it must not be kept: DE ${left.join(", ")}.`]
    const key = mac === undefined ? "none was given" : "not by the key that was given"
    if (this.foreignMacs > 0) without.push(`# MACs that are left out: ${this.foreignMacs} (${key}).`)
    const keys = mac === undefined ? [] : [`keys: { ${macKey}: { mac: ${mac.algorithm}, hex: "${toHex(mac.bytes)}" } }`]
    const connects = tls === undefined ? "connects to target" : `{ connects to: target, tls: ${tls} }`
    return [
      "# Recorded from a line. Say in `rule` what it shows, in `source` who says so, and keep only what belongs to it.",
      "# Card numbers are made-up ones under the same first six digits.",
      ...without,
      `rule: ${quoted(rule)}`,
      "source: a recording",
      `dialect: ${dialect}`,
      ...(frame === undefined ? [] : [`frame: ${frame}`]),
      ...keys,
      "partners:",
      ...[...this.names].map((name) => `  ${name}: ${connects}`),
      "steps:",
      ...this.steps.map((step) => (step.startsWith("#") ? `  ${step}` : `  - ${step}`)),
      ""
    ].join("\n")
  }

  /** A partner for a new connection: one whose connection has ended, or another letter. */
  private opened(line: number): string {
    const name = this.free.shift() ?? partnerName(this.names.size)
    this.names.add(name)
    this.partners.set(line, name)
    return name
  }

  private closed(line: number, from: "near" | "far", how: "FIN" | "RST"): void {
    const partner = this.partners.get(line)
    if (partner === undefined) return
    this.steps.push(from === "near" ? `${partner} closes: ${how}` : `${partner} expects close: ${how}`)
    if (from === "near" && how === "FIN") return
    this.partners.delete(line)
    this.free.push(partner)
  }

  private message(partner: string, side: "near" | "far", bytes: Buffer): void {
    const message = told(this.recording.form, bytes, 0)
    if (message.wrong !== undefined) {
      this.steps.push(`# ${partner}: a message of ${bytes.length} bytes that the dialect cannot read is left out`)
      return
    }
    const name = `m${this.noted.length + 1}`
    const asked = isRequest(message.index.mti) ? undefined : this.askedBy(partner, side, message)
    const entries = side === "near" ? this.sends(message, asked) : this.expects(message, asked)
    this.noted.push({ name, partner, side, message, asked })
    const whose = this.macOf(message)
    if (whose === "foreign") this.foreignMacs++
    const mac = whose === "ours" ? [["mac", macKey] as const] : []
    this.steps.push(
      `${partner} ${side === "near" ? "sends" : "expects"}: ${mapText([...entries, ...mac, ["as", name]])}`
    )
  }

  /** The message of the other side that this one answers. */
  private askedBy(partner: string, side: "near" | "far", { form, index }: Observed): Noted | undefined {
    const { stan } = form.codec.layout.roles
    return this.noted.findLast(
      (one) =>
        one.partner === partner &&
        one.side !== side &&
        responseMti(one.message.index.mti) === index.mti &&
        one.message.index.text(stan) === index.text(stan)
    )
  }

  private sends(message: Observed, asked: Noted | undefined): ReadonlyArray<readonly [string, string]> {
    const values = this.valuesOf(message)
    if (asked === undefined)
      return [["mti", mtiOf(message)], ...this.headerOf(message), ...this.written(message, values)]
    const own = values.filter(([de, value]) => fieldText(asked.message, de) !== value)
    return [["answer to", asked.name], ...this.written(message, own)]
  }

  private expects(message: Observed, asked: Noted | undefined): ReadonlyArray<readonly [string, string]> {
    const { roles } = message.form.codec.layout
    const values = this.valuesOf(message)
    if (asked === undefined) {
      const stable = values.filter(([de]) => de !== roles.stan && de !== roles.transmissionTime && de !== roles.rrn)
      return [["mti", mtiOf(message)], ...this.written(message, stable)]
    }
    const added = values.filter(([de]) => de !== roles.responseCode && !asked.message.index.has(de)).map(([de]) => de)
    const code = fieldText(message, roles.responseCode)
    return [
      ["answer to", asked.name],
      ...(code === undefined ? [] : [[String(roles.responseCode), quoted(code)] as const]),
      ...(added.length === 0 ? [] : [["present", `[${added.join(", ")}]`] as const])
    ]
  }

  /** Header parts that name institutions: what else a header has is the dialect's own. */
  private headerOf({ bytes, form, index }: Observed): ReadonlyArray<readonly [string, string]> {
    const decoded = form.codec.decode(bytes, index.start, index.end)
    const { destination, source } = form.codec.layout.header ?? {}
    if (isMessageError(decoded) || decoded.header === undefined) return []
    const { header } = decoded
    const parts = [destination, source].filter((part) => part !== undefined)
    const named = parts.map(({ name }) => [name, (header[name] ?? "").trimEnd()] as const)
    const plain = named.filter(([, value]) => coverCardText(value) === value)
    return plain.length === 0 ? [] : [["header", mapText(plain.map(([name, value]) => [name, quoted(value)]))]]
  }

  /** The MAC's data element; `undefined` where the message has none. */
  private macElementOf({ form, index }: Observed): number | undefined {
    const de = form.codec.dialect.security?.mac === undefined ? undefined : macFieldOf(form, index)
    return de !== undefined && index.has(de) ? de : undefined
  }

  /** Whose MAC a message has: `ours` is one that the next run can make. */
  private macOf(message: Observed): "none" | "ours" | "foreign" {
    if (this.macElementOf(message) === undefined) return "none"
    const isOurs = this.keys.has(macKey) && macWrong(this.keys, macKey, message) === undefined
    return isOurs ? "ours" : "foreign"
  }

  /** Data elements that may be written down, with card numbers made up. */
  private valuesOf(observed: Observed): ReadonlyArray<readonly [number, string]> {
    const { bytes, form, index } = observed
    const decoded: Message | { readonly _tag: string } = form.codec.decode(bytes, index.start, index.end)
    if ("_tag" in decoded) return []
    const { fields } = messageToJson(decoded, { reveal: true })
    const mac = this.macElementOf(observed)
    const found: Array<number> = []
    form.codec.redact(index, Buffer.alloc(bytes.length), index.start, found)
    return Object.entries(fields).flatMap(([key, value]) => {
      const de = Number(key)
      if (de === mac) return []
      const { sensitivity = "none" } = form.codec.layout.fields[de] ?? {}
      const isPlain = !found.includes(de) || this.isOriginal(observed, de, value)
      if (sensitivity === "none" && isPlain) return [[de, value] as const]
      if (sensitivity === "pan" && /^\d{12,19}$/.test(value)) return [[de, value] as const]
      this.leftOut.add(de)
      return []
    })
  }

  /** Whether they are original data and nothing else: numbers in a row, which may look like a card number by chance. */
  private isOriginal({ form, index }: Observed, de: number, value: string): boolean {
    const { dialect, layout } = form.codec
    if (de !== dialect.reversal?.originalData.field) return false
    return plainOriginal(layout, index) !== undefined || this.originalOf(value) !== value
  }

  /** Values as references where they are numbers, times or an earlier message's. */
  private written(
    message: Observed,
    values: ReadonlyArray<readonly [number, string]>
  ): ReadonlyArray<readonly [string, string]> {
    return values.map(([de, value]) => [String(de), quoted(this.reference(message, de, value))])
  }

  /** An earlier message of the same transaction, by its STAN or its RRN, with this value: a repeat says the time of the first. */
  private sameTime(message: Observed, de: number, value: string): Noted | undefined {
    const { rrn, stan } = message.form.codec.layout.roles
    const isSame = (other: Observed, key: number): boolean => {
      const own = fieldText(message, key)
      return own !== undefined && own !== "" && fieldText(other, key) === own
    }
    return this.noted.find(
      (one) => fieldText(one.message, de) === value && (isSame(one.message, stan) || isSame(one.message, rrn))
    )
  }

  /** The latest answer of the far side that brought this value: what it makes is another one the next time. */
  private givenBy({ codec }: WireFormat, de: number, value: string): Noted | undefined {
    if (de === codec.layout.roles.responseCode) return undefined
    return this.noted.findLast(
      ({ asked, message, side }) =>
        side === "far" && asked?.message.index.has(de) === false && fieldText(message, de) === value
    )
  }

  private reference(message: Observed, de: number, value: string): string {
    const { form } = message
    const { dialect, layout } = form.codec
    const { rrn, stan } = layout.roles
    if (de === dialect.reversal?.originalData.field) return this.originalOf(value)
    const earlier = this.noted.find((one) => fieldText(one.message, de) === value)
    const isNumber = de === stan || de === rrn
    if (isNumber && earlier !== undefined) return `{${earlier.name}.${de}}`
    if (de === stan && value.length === STAN_DIGITS) return "{stan}"
    if (de === rrn && /^\d{12}$/.test(value)) return "{rrn}"
    const given = this.givenBy(form, de, value)
    if (given !== undefined) return `{${given.name}.${de}}`
    const picture = timePictures(layout).get(de)
    if (picture?.length === value.length) {
      const first = this.sameTime(message, de, value)
      return first === undefined ? `{now:${picture}}` : `{${first.name}.${de}}`
    }
    return layout.fields[de]?.sensitivity === "pan" ? this.cardInstead(value) : value
  }

  /** The original data of a message that went by, part by part. */
  private originalOf(value: string): string {
    const { dialect } = this.recording.form.codec
    const original = readOriginalData(dialect, value)
    const { stan } = this.recording.form.codec.layout.roles
    // The last one: numbers start again. A void may have the MTI of its original.
    const named = this.noted.findLast(
      ({ message }) =>
        original !== undefined &&
        mtiText(message.index.mti) === original[0] &&
        message.index.text(stan) === original[stan]
    )
    if (named === undefined || original === undefined) return value
    return dialect
      .reversal!.originalData.parts.map(({ de, digits, length = "fixed" }) => {
        if (de === 0) return `{${named.name}.mti}`
        if (length === "fixed")
          return named.message.index.has(de) ? `{${named.name}.${de}:n${digits}}` : "0".repeat(digits)
        const own = original[de] ?? ""
        const prefix = length === "counted" ? String(own.length).padStart(2, "0") : ""
        return own === "" ? prefix : `${prefix}{${named.name}.${de}}`
      })
      .join("")
  }

  /** Another card number of the same length under the same first six digits; the same one gets the same. */
  private cardInstead(card: string): string {
    const chance = chanceOf(this.recording.seed, "card", card)
    const digits = card.slice(0, BIN_DIGITS) + chance.digits(card.length - BIN_DIGITS - 1)
    return digits + luhnDigit(digits)
  }
}

/** What a recorded dialogue calls the key of its MACs. */
const macKey = "mac"

const STAN_DIGITS = 6
const BIN_DIGITS = 6

/** A, B, .. Z, P27, P28. */
const partnerName = (place: number): string =>
  place < 26 ? String.fromCharCode("A".charCodeAt(0) + place) : `P${place + 1}`
