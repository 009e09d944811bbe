/**
 * Whether what a dialogue says can be done at all: the messages, data elements and header parts that its steps name exist. A
 * dialogue that asks for nothing real is a wrong file, not a system that broke a rule. Pure.
 */
import { cups, explain, fromHex, isMessageError } from "@jinka/codec"
import { FileInvalid } from "../file/FileInvalid.ts"
import type { Act, Dialogue, Expectation, Sending, Step, Template, Values } from "./Dialogue.ts"
import { pinWords } from "./Keys.ts"
import { fieldText, told } from "./Observed.ts"
import { referenceForms, referenceOf } from "./References.ts"
import { makeWireFormat, type WireFormat } from "./WireFormat.ts"

/** Throws `FileInvalid` for the first step that names what is not there, or that nothing can come of. */
export const checkDialogue = (dialogue: Dialogue): void => {
  const named: Names = { messages: new Set(), values: new Set(), connected: new Set() }
  for (const step of dialogue.steps) {
    const form = formOf(dialogue, step)
    if (step._tag === "partner") {
      const check = new StepCheck(dialogue, form, named, step)
      check.act(step.act)
      check.connection(step.act)
    }
    if (step._tag !== "let") continue
    const check = new StepCheck(dialogue, form, named, step)
    for (const [name, text] of Object.entries(step.values)) check.value(name, text)
  }
}

/** What earlier steps gave names to. */
interface Names {
  readonly messages: Set<string>
  readonly values: Set<string>
  /** Partners that have connected, or were. */
  readonly connected: Set<string>
}

/** Acts for which a partner needs no connection. */
const unconnected: ReadonlyArray<Act["_tag"]> = ["connect", "listen", "accept", "stopListening", "close"]

/** The form of the step's partner; of a step of nobody's the first one's. */
const formOf = ({ partners }: Dialogue, step: Step): WireFormat => {
  const own = step._tag === "partner" ? partners.find(({ name }) => name === step.partner) : undefined
  return (own ?? partners[0])?.form ?? makeWireFormat(cups)
}

/** One step, with the names that the steps before it gave. */
class StepCheck {
  private readonly dialogue: Dialogue
  private readonly form: WireFormat
  private readonly named: Names
  private readonly step: Step

  constructor(dialogue: Dialogue, form: WireFormat, named: Names, step: Step) {
    this.dialogue = dialogue
    this.form = form
    this.named = named
    this.step = step
  }

  act(act: Act): void {
    switch (act._tag) {
      case "send":
        return this.sending(act)
      case "sendTogether":
        return act.messages.forEach((message) => this.sending(message))
      case "expect":
        return this.expectation(act.expectation)
      case "expectIdle":
      case "expectClose":
        return this.message(act.timing.since)
    }
  }

  /** Nothing can be sent on no connection, and nothing comes: that nothing came would be no rule that was kept. */
  connection({ _tag }: Act): void {
    if (this.step._tag !== "partner") return
    const { partner } = this.step
    if (_tag === "connect" || _tag === "accept") this.named.connected.add(partner)
    if (unconnected.includes(_tag) || this.named.connected.has(partner)) return
    const side = this.dialogue.partners.find(({ name }) => name === partner)?.side
    const how = side === "listens" ? `${partner} listens\` and \`${partner} accepts` : `${partner} connects`
    this.refuse(`${partner} has no connection before this step: write \`${how}\` in front of it`)
  }

  /** A value that a `let` names: its references, and a name that no reference has for itself. */
  value(name: string, text: string): void {
    if (!/^[a-zA-Z]\w*$/.test(name) || ["stan", "rrn", "n"].includes(name)) {
      this.refuse(`"${name}" cannot be the name of a value: use one word, and none of stan, rrn and n`)
    }
    this.references(text)
    this.named.values.add(name)
  }

  private sending({ as, template }: Sending): void {
    this.template(template, 0)
    if (as !== undefined) this.named.messages.add(as)
  }

  private template(template: Template, depth: number): void {
    const { like, answerTo, again, mac, mti, fields, pin, without, header, rejected } = template
    this.keys(mac, pin)
    this.message(answerTo)
    this.message(again)
    if (mti !== undefined) this.mti(mti)
    this.fields(Object.keys(fields))
    this.numbers(without)
    for (const [de, text] of Object.entries(fields)) this.written(Number(de), text)
    this.header(header)
    this.header(rejected ?? {})
    if (like === undefined) return
    const named = this.dialogue.messages.get(like)
    const known = [...this.dialogue.messages.keys()]
    if (named === undefined) this.refuse(`the messages file has no "${like}"; it has ${listed(known)}`)
    if (depth > known.length) this.refuse(`"${like}" is like itself`)
    this.template(named!, depth + 1)
  }

  private expectation(expected: Expectation): void {
    const { as, mti, fields, header, present, absent, differs, matches, sameAs, changed, answerTo, rejected, since } =
      expected
    this.keys(expected.mac, expected.pin)
    for (const name of [sameAs, answerTo, since]) this.message(name)
    for (const text of mti ?? []) this.mti(text)
    this.fields([...Object.keys(fields), ...Object.keys(differs), ...Object.keys(matches), ...present.map(String)])
    this.numbers(absent)
    for (const [de, texts] of Object.entries(fields)) for (const text of texts) this.expected(Number(de), text)
    this.texts(differs)
    this.header(header)
    this.header(rejected ?? {})
    this.places(changed)
    if (as !== undefined) this.named.messages.add(as)
  }

  private mti(text: string): void {
    this.references(text)
    if (!text.includes("{") && !/^\d{4}$/.test(text)) this.refuse(`mti: four digits are expected, not "${text}"`)
  }

  /** A value that is sent: one that the dialect can write. What it cannot is written by `damage`. */
  private written(de: number, text: string): void {
    const message = this.alone(de, text)
    if (typeof message === "string") this.refuse(`DE ${de} cannot be written (${this.formatOf(de)}): ${message}`)
  }

  /** A value that a data element is to have: one that the dialect can say, or it would be the system that broke the rule. */
  private expected(de: number, text: string): void {
    const message = this.alone(de, text)
    if (message === undefined) return
    const is = this.formatOf(de)
    if (typeof message === "string") {
      return this.refuse(`DE ${de} can never be what is expected here (${is}): ${message}`)
    }
    const comes = fieldText(told(this.form, message, 0), de)
    if (comes === text) return
    this.refuse(
      `DE ${de} can never be what is expected here (${is}): write all of its ${comes?.length ?? 0} characters`
    )
  }

  private formatOf(de: number): string {
    const { dialect, layout } = this.form.codec
    return `${dialect.name}: ${layout.fields[de]!.format}`
  }

  /** A message with this value alone, or why the dialect cannot write it; `undefined`: only a run knows the value. */
  private alone(de: number, text: string): Buffer | string | undefined {
    this.references(text)
    const { codec } = this.form
    const field = codec.layout.fields[de]
    if (text.includes("{") || field === undefined) return undefined
    const bytes = field.bytes ? fromHex(text.replaceAll(/\s/g, "")) : undefined
    if (field.bytes && bytes === undefined) return "pairs of hex digits are expected"
    const message = codec.encode({ mti: anyMti(codec.dialect.version), fields: { [de]: bytes ?? text } })
    return isMessageError(message) ? explain(message) : message
  }

  /** Keys of the dialogue, each for what it is named for. */
  private keys(mac: string | undefined, pin: string | undefined): void {
    const words = pin === undefined ? undefined : pinWords(pin)
    if (pin !== undefined && words === undefined) {
      this.refuse("pin: the name of a key and a PIN of 4 to 12 digits are expected, like `zpk 1234`")
    }
    const named = [
      { tag: "mac", name: mac },
      { tag: "pin", name: words?.name }
    ]
    for (const { name, tag } of named) {
      if (name === undefined || this.dialogue.keys.get(name)?._tag === tag) continue
      const known = [...this.dialogue.keys].flatMap(([key, { _tag }]) => (_tag === tag ? [key] : []))
      this.refuse(`no ${tag} key is called "${name}"; there are ${listed(known)}`)
    }
  }

  /** What may change is a data element, `mti`, `header.<part>` or the like. */
  private places(places: ReadonlyArray<string>): void {
    for (const place of places) {
      if (/^\d+$/.test(place)) this.fields([place])
      else if (place.startsWith("header.")) this.part(place.slice("header.".length))
    }
  }

  private message(name: string | undefined): void {
    if (name === undefined || this.named.messages.has(name)) return
    this.refuse(`no message was named "${name}" before this step; named are ${listed([...this.named.messages])}`)
  }

  private fields(numbers: ReadonlyArray<string>): void {
    for (const de of numbers) {
      if (this.form.codec.layout.fields[Number(de)] !== undefined) continue
      this.refuse(`the dialect ${this.form.codec.dialect.name} has no DE ${de}`)
    }
  }

  /** A data element that is to be left out, or not to come, need not be one of the dialect. */
  private numbers(numbers: ReadonlyArray<number>): void {
    for (const de of numbers) if (de < 2 || de > 192) this.refuse(`data elements are 2 to 192, not ${de}`)
  }

  private header(values: Values): void {
    for (const part of Object.keys(values)) this.part(part)
    this.texts(values)
  }

  private part(name: string): void {
    const parts = Object.keys(this.form.codec.layout.header?.byName ?? {})
    if (parts.includes(name)) return
    const has = parts.length === 0 ? "has no header" : `has ${parts.join(", ")}`
    this.refuse(`no header part is called "${name}"; the dialect ${this.form.codec.dialect.name} ${has}`)
  }

  private texts(values: Values): void {
    for (const text of Object.values(values)) this.references(text)
  }

  private references(text: string): void {
    for (const [, inner = ""] of text.matchAll(/\{([^{}]*)\}/g)) {
      const reference = referenceOf(inner)
      if (reference === undefined) this.refuse(`{${inner}} refers to nothing; references look like ${referenceForms}`)
      if (reference?._tag === "value" && !this.named.values.has(reference.name)) {
        const known = [...this.named.values]
        const names = known.length === 0 ? "" : `; values are ${known.join(", ")}`
        this.refuse(`{${inner}} refers to nothing; references look like ${referenceForms}${names}`)
      }
      if (reference?._tag !== "copy") continue
      this.message(reference.name)
      if (reference.part.startsWith("header.")) this.part(reference.part.slice("header.".length))
      else if (reference.part !== "mti") this.numbers([Number(reference.part)])
    }
  }

  private refuse(rule: string): void {
    throw new FileInvalid({ file: this.step.place.file, line: this.step.place.line, rule })
  }
}

/** A request of an edition. */
const anyMti = (version: number): string => `${version}200`

const listed = (names: ReadonlyArray<string>): string => (names.length === 0 ? "none" : names.join(", "))
