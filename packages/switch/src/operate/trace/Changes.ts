/**
 * What the switch changed of a message between its two sides, and why: the request as it came and as it left, the answer, and the
 * reversal beside its request. Pure.
 *
 * The journal has each message as it came, card data covered. How it left is made again by the languages of both links, so it
 * needs their configuration; a MAC and a PIN block are named, and not shown.
 */
import { type Codec, compile, diff, MessageIndex } from "@jinka/codec"
import type { LinkPlan } from "../../exchange/LinkPlan.ts"
import type { Entry } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import { sourceOf } from "../../journal/Source.ts"
import { Crossing } from "../../message/Crossing.ts"
import { Iso8583 } from "../../message/Iso8583.ts"
import type { Language } from "../../message/Language.ts"
import { stanOf } from "../../message/Stamp.ts"
import type { Changed } from "./TraceReport.ts"

/** One side of a message. */
interface Side {
  readonly name: string
  readonly plan: LinkPlan
  readonly codec: Codec
  readonly language: Language
}

/** What an exchange is told with. */
export interface Told {
  /** Entries of the exchange, in order. */
  readonly entries: ReadonlyArray<Entry>
  /** The `queued` entries that it caused. */
  readonly caused: ReadonlyArray<Entry>
  readonly nameOf: (link: number) => string
  /** The configuration's link; `undefined`: it is not known here. */
  readonly planOf: (name: string) => LinkPlan | undefined
}

const unknown = "give the configuration file: how a message left is made again by what it says of both links"
const unmade = "it cannot be made again from the covered copy"

const sideOf = (name: string, plan: LinkPlan | undefined): Side | undefined => {
  if (plan === undefined || plan.language !== undefined) return undefined
  // What is covered breaks the rules of its field.
  const codec = compile({ ...plan.codec.dialect, lenient: true })
  return { name, plan, codec, language: new Iso8583({ ...plan, codec }) }
}

/** Both sides of the exchange's messages. */
export const changesOf = ({ caused, entries, nameOf, planOf }: Told): ReadonlyArray<Changed> => {
  const request = entries.find(({ kind }) => kind === EntryKind.accepted)
  if (request === undefined) return []
  const origin = sideOf(nameOf(request.link), planOf(nameOf(request.link)))
  const target = sideOf(request.code, planOf(request.code))
  const ends = { from: nameOf(request.link), to: request.code }
  if (origin === undefined || target === undefined)
    return [{ what: "request", ...ends, before: hex(request.message), after: "", fields: [], note: unknown }]
  const both = new Both(origin, target, request)
  const answer = entries.find(({ kind }) => kind === EntryKind.answered)
  const reversal = caused.find(({ code }) => sourceOf(code) === undefined)
  return [
    both.request(),
    ...(answer === undefined ? [] : [both.answer(answer)]),
    ...(reversal === undefined ? [] : [both.reversal(reversal)])
  ]
}

const hex = (bytes: Buffer | undefined): string => bytes?.toString("hex") ?? ""

/** The same form on both sides passes bytes on; otherwise one object of a dialect means one form. */
const sameForm = (one: Side, other: Side): boolean => one.plan.codec.dialect === other.plan.codec.dialect

class Both {
  private readonly origin: Side
  private readonly target: Side
  private readonly asked: Entry
  /** The request as it left; undefined: it cannot be made again. */
  private readonly sent: Crossed | undefined

  constructor(origin: Side, target: Side, asked: Entry) {
    this.origin = origin
    this.target = target
    this.asked = asked
    const stan = target.language.hasOwnStan ? stanOf(asked.seq) : undefined
    this.sent = crossed(origin, target, asked.message, stan)
  }

  request(): Changed {
    const { asked, origin, sent, target } = this
    return changed("request", origin, target, asked.message, sent, (id) => this.whyOfRequest(id))
  }

  answer({ message }: Entry): Changed {
    const { asked, origin, target } = this
    const index = new MessageIndex()
    const isRead = origin.language.index(asked.message, 0, asked.message.length, index) === undefined
    const stan = target.language.hasOwnStan && isRead ? origin.language.stan(index) : undefined
    const given = crossed(target, origin, message, stan, isRead ? index : undefined)
    return changed("answer", target, origin, message, given, (id) =>
      id === String(origin.codec.layout.roles.stan)
        ? "the caller's own STAN is put back"
        : crossingWords(id, target, origin)
    )
  }

  /** The reversal beside the request as it left: both are in the target's words. */
  reversal({ message }: Entry): Changed {
    const { sent, target } = this
    const { roles } = target.codec.layout
    const words = new Map([
      ["mti", "a reversal of the switch's own"],
      [String(roles.stan), "the reversal has a STAN of its own"],
      [String(roles.transmissionTime), "when the reversal was made"],
      [String(roles.forwarder), "the switch sends it itself"]
    ])
    const original = target.codec.dialect.reversal?.originalData.field
    if (original !== undefined) words.set(String(original), "names the request that is taken back")
    const side = { ...target, name: `${target.name} (reversal)` }
    return changed(
      "reversal",
      target,
      side,
      sent?.bytes,
      { bytes: message, unsaid: sent?.unsaid ?? nothingUnsaid },
      (id, kind) =>
        id.startsWith("header.")
          ? "our names in the header"
          : (words.get(id) ??
            (kind === "removed"
              ? "a reversal does not carry it, or it may be kept nowhere"
              : "as the dialect's reversal rule says"))
    )
  }

  private whyOfRequest(id: string): string {
    const { origin, target } = this
    const isStan = id === String(target.codec.layout.roles.stan)
    return isStan && target.language.hasOwnStan
      ? `link ${target.name} has STANs of its own (stan: own)`
      : crossingWords(id, origin, target)
  }
}

const crossingWords = (id: string, from: Side, to: Side): string => {
  if (id.startsWith("header.")) return `the header names us and ${to.plan.institution}`
  const [de = ""] = id.split(".")
  if (/^\d+$/.test(de) && to.codec.dialect.fields[Number(de)] === undefined)
    return `${to.codec.dialect.name} has no such field`
  return sameForm(from, to) ? "changed by the switch" : `from ${from.codec.dialect.name} into ${to.codec.dialect.name}`
}

/** A message as it left, covered, and the fields that the covered copy cannot say. */
interface Crossed {
  readonly bytes: Buffer
  readonly unsaid: ReadonlySet<string>
}

const nothingUnsaid: ReadonlySet<string> = new Set()

/** The message as it left on the other side; `undefined`: it cannot be made again. */
const crossed = (from: Side, to: Side, bytes: Buffer, stan?: string, request?: MessageIndex): Crossed | undefined => {
  const index = new MessageIndex()
  if (from.language.index(bytes, 0, bytes.length, index) !== undefined) return undefined
  if (!sameForm(from, to)) return translated(from, to, bytes, index, stan, request)
  const named = stan === undefined ? index : from.language.withStan(index, stan)
  if (named === undefined) return undefined
  const out = Buffer.alloc(named.end - named.start)
  to.language.pass(named.buffer, named.start, named.end, out, 0)
  return { bytes: out, unsaid: nothingUnsaid }
}

/** No dialect writes what is covered: the card number has zeros in its place on the way, the rest is left out and not told of. */
const translated = (
  from: Side,
  to: Side,
  bytes: Buffer,
  covered: MessageIndex,
  stan: string | undefined,
  request: MessageIndex | undefined
): Crossed | undefined => {
  const { defined, roles } = from.codec.layout
  const there = defined.filter(({ de }) => covered.has(de)).map(({ de }) => de)
  const whole = new MessageIndex()
  const digits = covered.has(roles.pan) ? covered.text(roles.pan).replaceAll(/\D/g, "0") : ""
  if (!from.language.restore(bytes, digits, Buffer.alloc(0), whole)) return undefined
  const unsaid = new Set(there.filter((de) => !whole.has(de)).map(String))
  const named = stan === undefined ? whole : from.language.withStan(whole, stan)
  const crossing = new Crossing()
  if (named === undefined || !crossing.prepare(from.language, to.language, named, request)) return undefined
  const out = Buffer.alloc(crossing.length)
  const index = new MessageIndex()
  const length = crossing.write(out, 0)
  if (to.language.index(out, 0, length, index) !== undefined) return undefined
  const shown = Buffer.alloc(length)
  to.language.redact(index, shown, 0)
  return { bytes: shown, unsaid }
}

const changed = (
  what: Changed["what"],
  from: Side,
  to: Side,
  before: Buffer | undefined,
  made: Crossed | undefined,
  why: (id: string, kind: string) => string
): Changed => {
  const after = made?.bytes
  const ends = { what, from: from.name, to: to.name, before: hex(before), after: hex(after) }
  if (before === undefined || made === undefined || after === undefined) return { ...ends, fields: [], note: unmade }
  const { rows } = diff({ codec: from.codec, buffer: before }, { codec: to.codec, buffer: after })
  const fields = rows
    .filter(({ id }) => !made.unsaid.has(id.split(".")[0]!))
    .map(({ id, kind, left, name, right }) => ({ id, name, before: left, after: right, why: why(id, kind) }))
  return { ...ends, fields: [...fields, ...guarded(from, to)], note: "" }
}

/** What is made behind the crossing, and is in no journal. */
const guarded = (from: Side, to: Side): Changed["fields"] => {
  const covered = (is: boolean) => (is ? "(covered)" : "")
  const [mac, pin] = [to.plan.guard?.mac, to.plan.guard?.pin]
  const hasMac = from.plan.guard?.mac !== undefined || mac !== undefined
  const row = (id: string, name: string, why: string, is: boolean) => ({
    id,
    name,
    before: covered(true),
    after: covered(is),
    why
  })
  const macWords = mac === undefined ? `link ${to.name} has no MACs` : `made again with the key of ${to.name}`
  return [
    ...(hasMac ? [row("MAC", "Message authentication code", macWords, mac !== undefined)] : []),
    ...(pin === undefined
      ? []
      : [row("PIN", "PIN block", `translated into the key of ${to.name}, where there is one`, true)])
  ]
}
