/**
 * What a world of partner files is made of: the partners of the files, and those that the seed draws for the other side. Who
 * sends is an acquirer, everybody else an issuer. Pure.
 */
import { usualMix } from "../../../packages/simulator/src/acquirer/Workload.ts"
import type { Mode, Way } from "../../../packages/simulator/src/link/ModeLink.ts"
import { canSay } from "../../../packages/simulator/src/scripted/OwnMessages.ts"
import type { PartnerPlan, Pattern, PlannedRule } from "../../../packages/simulator/src/scripted/PartnerPlan.ts"
import type { Endpoint } from "../../../packages/switch/src/transport/Transport.ts"
import { switchName } from "../Names.ts"
import { centre } from "../Options.ts"
import { SeededRandom } from "../world/SeededRandom.ts"

/** One partner of the world, and where its connections end there. */
export interface FilePartnerPlan {
  readonly plan: PartnerPlan
  readonly role: "acquirer" | "issuer"
  /** Ports of the world by `dial` or `listen` and the port in the file. */
  readonly portOf: (role: Way["role"], endpoint: Endpoint) => number
}

/** All of them, and which issuer a card is of. */
export interface FilePlans {
  readonly all: ReadonlyArray<FilePartnerPlan>
  readonly routes: ReadonlyArray<{ readonly bin: string; readonly issuer: string }>
}

/** Ports in the world: ten for each partner. */
const PORT = 8000
const PORTS = 10

/** Cards that an issuer has in a run besides those of its file, and of each pattern of its rules. */
const CARDS = 6
const CARDS_OF_PATTERN = 3
const CARD_DIGITS = 16
/** Longest prefix that a route has. */
const BIN_DIGITS = 11
/** Amounts up to which one is sought that fits a rule, minor units. */
const AMOUNT_MAX = 300_000
/** Acquirers of the seed at most: one for anything, the others for one rule each. */
const ACQUIRERS_MAX = 3

/** Ways of a link, seen from the partner. */
export const waysOf = (mode: Mode): ReadonlyArray<Way> => {
  switch (mode.mode) {
    case "async-short":
      return [mode.listen, mode.connect]
    case "async-simplex":
      return [mode.send, mode.receive]
    default:
      return [mode.way]
  }
}

/** Why a partner cannot be in the world; `undefined`: it can. */
export const unfit = ({ accounts, form, keyPlan, link, name, pinKey, sends }: PartnerPlan): string | undefined => {
  if (name === switchName) return `no partner of the world is called ${switchName}`
  if (waysOf(link.mode).some(({ tls }) => tls !== undefined)) return "the world has no TLS: leave `tls` out"
  if (keyPlan !== undefined) return "the world does not exchange keys with partners of files: leave `key exchange` out"
  const pins = [accounts.others, ...accounts.cards.values()].some((account) => account?.pin !== undefined)
  if (pinKey !== undefined || sends?.pin !== undefined || pins)
    return "the world has no PIN blocks of partners of files: leave `pin` out"
  if (form.frame.kind === "until-close")
    return "connections of the world end whole: the frame until-close needs halves, which a partner of a file has not got there"
  return undefined
}

const portsOf = (plan: PartnerPlan, n: number): FilePartnerPlan["portOf"] => {
  const ways = waysOf(plan.link.mode)
  return (role, { port }) => {
    const at = ways.findIndex((way) => way.role === role && way.endpoint.port === port)
    return PORT + PORTS * n + Math.max(0, at)
  }
}

const filled = (random: SeededRandom, { text }: Pattern): string | undefined => {
  const fixed = text.replaceAll("*", "")
  if (!/^\d+$/.test(fixed) || fixed.length > CARD_DIGITS + 3) return undefined
  if (!text.includes("*")) return text
  const free = digits(random, Math.max(0, CARD_DIGITS - fixed.length))
  return text.replace("*", free).replaceAll("*", "")
}

const digits = (random: SeededRandom, count: number): string =>
  Array.from({ length: count }, () => random.whole(0, 9)).join("")

/** Cards of an issuer in this run, and those that a rule asks for. */
const cardsOf = (random: SeededRandom, { accounts, rules }: PartnerPlan, n: number): ReadonlyArray<string> => {
  const named = [...accounts.cards.keys()]
  const ofRules = rules.flatMap(({ when }) => fitting(random, when.cards ?? []))
  const others =
    accounts.others === undefined ? [] : Array.from({ length: CARDS }, () => `62258${n % 10}${digits(random, 10)}`)
  const all = [...new Set([...named.slice(0, CARDS), ...ofRules, ...others])]
  return all.length > 0 ? all : [`62258${n % 10}${digits(random, 10)}`]
}

const fitting = (random: SeededRandom, patterns: ReadonlyArray<Pattern>): ReadonlyArray<string> =>
  patterns.flatMap((pattern) =>
    Array.from({ length: CARDS_OF_PATTERN }, () => filled(random, pattern) ?? "").filter((card) => card.length >= 12)
  )

/** An amount that a rule asks for, where there is one. */
const amountFor = (random: SeededRandom, { when }: PlannedRule): number | undefined => {
  if (when.amount === undefined) return undefined
  const from = random.whole(1, AMOUNT_MAX)
  for (let tried = 0; tried < 2 * AMOUNT_MAX; tried++) {
    const amount = 1 + ((from + tried) % (2 * AMOUNT_MAX))
    if (when.amount(amount)) return amount
  }
  return undefined
}

/** Partners of the other side are plain: in the form of the files' first, well-behaved, over one long connection. */
const plain = (like: PartnerPlan, name: string, institution: string, way: Way): PartnerPlan => ({
  ...{ name, form: like.form, institution, farSide: centre, utcOffsetMs: like.utcOffsetMs, seed: 1, identity: name },
  link: { mode: { mode: "async-duplex", way }, idleMs: 10_000, silenceMs: 35_000, redialMs: 1000 },
  signOn: { isSent: false, isExpected: false, timeoutMs: 5000 },
  timeoutMs: 10_000,
  ...{ keys: new Map(), macKey: undefined, pinKey: undefined, keyPlan: undefined },
  accounts: {
    cards: new Map(),
    others: {
      ...{ balance: 100_000_000_000, pin: undefined, pinTries: 3 },
      ...{ transactionMax: Infinity, dayMax: Infinity, dayCount: Infinity }
    }
  },
  ...{ rules: [], schedule: [], sends: undefined, history: undefined, ledger: undefined }
})

const drawnAcquirers = (
  random: SeededRandom,
  issuers: ReadonlyArray<{ readonly plan: PartnerPlan; readonly cards: ReadonlyArray<string> }>,
  isTaken: (name: string) => boolean
): ReadonlyArray<PartnerPlan> => {
  const rules = issuers.flatMap(({ cards, plan }) => plan.rules.map((rule) => ({ cards, plan, rule })))
  const special = random.shuffle(rules).flatMap(({ cards, plan, rule }) => {
    const amount = amountFor(random, rule)
    const own = cards.filter((card) => rule.when.cards?.some(({ fits }) => fits(card)) ?? true)
    return amount === undefined || own.length === 0 ? [] : [{ like: plan, cards: own, amount }]
  })
  const any = issuers.map(({ cards, plan }) => ({ like: plan, cards, amount: undefined }))
  const wanted = [...any, ...special.slice(0, Math.max(0, ACQUIRERS_MAX - any.length))]
  return wanted.map(({ amount, cards, like }, n): PartnerPlan => {
    const name = freeName(`acquirer-${n + 1}`, isTaken)
    const endpoint = { host: switchName, port: 1 }
    const { dialect } = like.form.codec
    const mix = { ...usualMix, ...(dialect.reversal === undefined ? { void: 0 } : {}) }
    return {
      ...plain(like, name, `4801000${n + 1}`, { role: "dial", endpoint }),
      sends: {
        ...{ rate: random.pick([0.5, 1, 3]), mix, cards, terminals: 5, durationMs: Infinity, count: Infinity },
        ...{ amountFrom: amount ?? 1, amountTo: amount ?? random.pick([50_000, 1_000_000]) },
        ...{
          timeoutMs: random.pick([15_000, 25_000]),
          repeatMs: random.pick([8000, 15_000]),
          pin: undefined,
          fields: {}
        }
      }
    }
  })
}

const freeName = (name: string, isTaken: (name: string) => boolean): string =>
  isTaken(name) ? freeName(`${name}-b`, isTaken) : name

/** Nobody waits longer for a partner that hears nothing, or before it dials again, milliseconds. */
const SILENCE_MAX = 120_000
const REDIAL_MAX = 30_000

/** How long it may take until a partner that dials has noticed that its connection is a black hole, and is back. */
export const backWithin = ({ all }: FilePlans): number =>
  Math.max(
    0,
    ...all
      .filter(({ plan }) => waysOf(plan.link.mode).some(({ role }) => role === "dial"))
      .map(({ plan }) => plan.link.silenceMs + plan.link.redialMs)
  )

/** The same behaviour in other draws, for each seed of the world. */
const seeded = (plan: PartnerPlan, seed: number): PartnerPlan => ({
  ...plan,
  link: {
    ...plan.link,
    silenceMs: Math.min(plan.link.silenceMs, SILENCE_MAX),
    redialMs: Math.min(plan.link.redialMs, REDIAL_MAX)
  },
  seed: (Math.imul(seed, 0x9e3779b1) ^ plan.seed) >>> 0,
  ...{ history: undefined, ledger: undefined }
})

/** All partners of one seed. */
export const plansOf = (seed: number, plans: ReadonlyArray<PartnerPlan>): FilePlans => {
  const random = new SeededRandom(seed, "files")
  const isTaken = (name: string) => name === switchName || plans.some((plan) => plan.name === name)
  const sending = plans.filter(({ sends }) => sends !== undefined)
  const answering = plans.filter(({ sends }) => sends === undefined)
  const endpoint = { host: "issuer", port: 1 }
  const issuers =
    answering.length > 0
      ? answering
      : [plain(sending[0]!, freeName("issuer", isTaken), "01030001", { role: "listen", endpoint })]
  const held = issuers.map((plan, n) => ({ plan, cards: cardsOf(random.stream(`cards ${n}`), plan, n) }))
  const acquirers = sending.length > 0 ? sending : drawnAcquirers(random, held, isTaken)
  const all = [...issuers, ...acquirers].map((plan, n) => ({
    plan: seeded(plan, seed),
    role: issuers.includes(plan) ? ("issuer" as const) : ("acquirer" as const),
    portOf: portsOf(plan, n)
  }))
  return { all, routes: routesOf(held, sending) }
}

/** By the issuer's own cards, as far as a route says them; every other card that is sent is the first issuer's. */
const routesOf = (
  held: ReadonlyArray<{ readonly plan: PartnerPlan; readonly cards: ReadonlyArray<string> }>,
  sending: ReadonlyArray<PartnerPlan>
): FilePlans["routes"] => {
  const routes = new Map<string, string>()
  const put = (card: string, issuer: string) => {
    const bin = card.slice(0, BIN_DIGITS)
    if (!routes.has(bin)) routes.set(bin, issuer)
  }
  for (const { cards, plan } of held) for (const card of [...plan.accounts.cards.keys(), ...cards]) put(card, plan.name)
  for (const { sends } of sending) for (const card of sends!.cards) put(card, held[0]!.plan.name)
  return [...routes].map(([bin, issuer]) => ({ bin, issuer }))
}

/** Whether a partner says by itself that a day is over, or what its totals are. */
export const hasDays = ({ schedule }: PartnerPlan): boolean =>
  schedule.some(({ act }) => act === "cut-over" || act === "totals")

/** Whether the partner could say that it signs on. */
export const signsOn = ({ form, signOn }: PartnerPlan): boolean =>
  signOn.isSent && canSay(form.codec.dialect, "sign-on")
