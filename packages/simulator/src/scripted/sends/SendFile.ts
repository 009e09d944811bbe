/**
 * `sends` of a partner file:
 *
 *     sends: { rate: 5/s, mix: { purchase: 70, inquiry: 30 }, amount: 100..50000, cards: ["6200000000000005"] }
 *
 * Owns its words, which docs/reference/partners.md lists.
 */
import type { Codec } from "@jinka/codec"
import type { Mix } from "../../acquirer/Workload.ts"
import { MapReader } from "../../file/MapReader.ts"
import { durationOf, expected, invalidAt, textOf, textsOf, wholeOf, type Yaml } from "../../file/YamlNodes.ts"
import { reasonOf } from "../../SimulatorError.ts"
import type { LinkPlan } from "../PartnerPlan.ts"
import type { SendPlan } from "./SendPlan.ts"

/** Most transactions a second of one partner: more is what `jinka-sim load` is for. */
const RATE_MAX = 5000

/** What is sent where a file does not say. */
const usual = { timeoutMs: 15_000, repeatMs: 10_000, amountFrom: 100, amountTo: 50_000, terminals: 10 }

const rateOf = (yaml: Yaml): number => {
  const found = /^(\d{1,6}(?:\.\d{1,3})?)\/(s|m)$/.exec(textOf(yaml))
  const rate = found === null ? 0 : Number(found[1]) / (found[2] === "m" ? 60 : 1)
  if (rate > 0 && rate <= RATE_MAX) return rate
  throw expected(yaml, `a rate of at most ${RATE_MAX}/s, like "5/s" or "30/m",`)
}

const amountOf = (yaml: Yaml): readonly [number, number] => {
  const found = /^(\d{1,12})(?: ?\.\. ?(\d{1,12}))?$/.exec(textOf(yaml))
  const [from, to] = [Number(found?.[1]), Number(found?.[2] ?? found?.[1])]
  if (found !== null && from <= to) return [from, to]
  throw expected(yaml, 'an amount in minor units or a range of them, "100..50000",')
}

/** The bytes of a file that another one names, seen from there. */
export type ReadBeside = (path: string) => Buffer

const isCard = (text: string): boolean => /^\d{12,19}$/.test(text)

/** Card numbers, or a file with one at the beginning of each line; a first line of names is passed over. */
const cardsOf =
  (read: ReadBeside) =>
  (yaml: Yaml): ReadonlyArray<string> => {
    if (yaml.kind === "list") {
      const wrong = yaml.items.find((item) => !isCard(textOf(item)))
      if (wrong !== undefined) throw expected(wrong, "a card number of 12 to 19 digits, in quotes,")
      if (yaml.items.length > 0) return yaml.items.map(textOf)
    }
    const text = textOf(yaml)
    if (isCard(text)) return [text]
    const lines = linesOf(read, yaml, text)
    const [first = "", ...rest] = lines
    const cards = isCard(first) ? lines : rest
    const wrong = cards.findIndex((card) => !isCard(card))
    if (wrong >= 0)
      throw invalidAt(yaml, `${text}: line ${wrong + 1 + lines.length - cards.length} begins with no card number`)
    if (cards.length > 0) return cards
    throw expected(yaml, "card numbers, or a file of them,")
  }

const linesOf = (read: ReadBeside, yaml: Yaml, name: string): ReadonlyArray<string> => {
  try {
    return read(name)
      .toString("utf8")
      .split(/\r?\n/)
      .map((line) => line.split(",")[0]!.trim())
      .filter((line) => line !== "")
  } catch (error) {
    throw invalidAt(yaml, `${name} cannot be read: ${reasonOf(error)}`)
  }
}

/** The names of `type` in rules, for a kind each. */
const mixOf = (yaml: Yaml): Mix => {
  const map = new MapReader(yaml, "mix")
  const weight = (name: string): number => map.get(name, wholeOf(0, 1_000_000)) ?? 0
  const mix = {
    purchase: weight("purchase"),
    preAuthorisation: weight("pre-authorisation"),
    balanceInquiry: weight("inquiry"),
    void: weight("void"),
    refund: weight("refund")
  }
  map.done()
  if (Object.values(mix).some((share) => share > 0)) return mix
  throw expected(yaml, "a share of at least one kind")
}

const pinOf = (yaml: Yaml): string => {
  const text = textOf(yaml)
  if (/^\d{4,12}$/.test(text)) return text
  throw expected(yaml, "a PIN of 4 to 12 digits, in quotes,")
}

/** Reads `sends`. */
export const sendPlanOf =
  (codec: Codec, read: ReadBeside) =>
  (yaml: Yaml): SendPlan => {
    const map = new MapReader(yaml, "sends")
    const [amountFrom, amountTo] = map.get("amount", amountOf) ?? [usual.amountFrom, usual.amountTo]
    const plan: SendPlan = {
      rate: map.need("rate", rateOf),
      mix: map.get("mix", mixOf) ?? { purchase: 1, preAuthorisation: 0, balanceInquiry: 0, void: 0, refund: 0 },
      amountFrom,
      amountTo,
      cards: map.need("cards", cardsOf(read)),
      terminals: map.get("terminals", wholeOf(1, 9999)) ?? usual.terminals,
      durationMs: map.get("for", durationOf) ?? Number.POSITIVE_INFINITY,
      count: map.get("count", wholeOf(1)) ?? Number.POSITIVE_INFINITY,
      timeoutMs: map.get("timeout", durationOf) ?? usual.timeoutMs,
      repeatMs: map.get("repeat", durationOf) ?? usual.repeatMs,
      pin: map.get("pin", pinOf),
      fields: map.get("fields", textsOf) ?? {}
    }
    map.done()
    const unknown = Object.keys(plan.fields).find((de) => codec.layout.fields[Number(de)] === undefined)
    if (unknown !== undefined) throw map.wrong("fields", `the dialect ${codec.dialect.name} has no DE ${unknown}`)
    if (codec.dialect.reversal === undefined && plan.mix.void > 0) {
      throw map.wrong("mix", `the dialect ${codec.dialect.name} does not say how a void names its original`)
    }
    return plan
  }

/** Why a partner of this link cannot send by itself; `undefined`: it can. */
export const cannotSend = ({ mode }: LinkPlan): string | undefined => {
  if (mode.mode === "sync-long") return "on a sync-long link only one side asks, and a partner of a file answers"
  const isAsked = mode.mode === "sync-short" && mode.way.role === "listen"
  return isAsked ? "a sync-short partner that listens has no connection of its own: let it connect" : undefined
}
