/**
 * Partner files: one partner, or several with what they have in common above them.
 *
 *     partner: issuer
 *     dialect: cups
 *     institution: "01020000"
 *     far side: "00010000"
 *     link: { listen: "127.0.0.1:7812" }
 *     rules:
 *       - when: { amount: "> 500000" }
 *         answer: amount limit
 *
 * Paths count from the file that names them. Owns the words above a partner; link and rules have readers of their own.
 */
import { createHash } from "node:crypto"
import { statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { cups, type Dialect } from "@jinka/codec"
import { Effect } from "effect"
import { type DialogueKeys, readKey } from "../dialogue/Keys.ts"
import { makeWireFormat } from "../dialogue/WireFormat.ts"
import { bytesOfFile } from "../file/FileBytes.ts"
import type { FileInvalid } from "../file/FileInvalid.ts"
import { namedDialectOf } from "../file/FormKeys.ts"
import { frameOf } from "../file/FrameFile.ts"
import { asFileInvalid, MapReader } from "../file/MapReader.ts"
import { knownNames } from "../file/Nearest.ts"
import {
  durationOf,
  eachOf,
  expected,
  invalidAt,
  numberOf,
  parseYaml,
  saidBy,
  textOf,
  wholeOf,
  type Yaml,
  type YamlMap,
  yesNoOf
} from "../file/YamlNodes.ts"
import { reasonOf } from "../SimulatorError.ts"
import { copyOf, isNumbered } from "./Copies.ts"
import { keyPlanOf } from "./keys/KeyPlanFile.ts"
import { linkOf } from "./LinkFile.ts"
import { canSay } from "./OwnMessages.ts"
import type { AccountPlan, Accounts, PartnerPlan } from "./PartnerPlan.ts"
import { ruleOf } from "./RuleFile.ts"
import { scheduledOf } from "./ScheduleFile.ts"
import { cannotSend, sendPlanOf } from "./sends/SendFile.ts"

/** What a partner file says, and which other files it was made of: a change of any of them changes it. */
export interface PartnersFile {
  readonly plans: ReadonlyArray<PartnerPlan>
  readonly files: ReadonlyArray<string>
}

/** Most partners of one file. */
const PARTNERS_MAX = 2000

/** Wrong PINs in a row where a file does not say. */
const PIN_TRIES = 3

const UNLIMITED = Number.POSITIVE_INFINITY

/** Balance of an account where no file says one, in minor units. */
const USUAL_BALANCE = 100_000_000

const pinOf = (yaml: Yaml): string => {
  const text = textOf(yaml)
  if (/^\d{4,12}$/.test(text)) return text
  throw expected(yaml, "a PIN of 4 to 12 digits, in quotes,")
}

const accountOf = (yaml: Yaml): AccountPlan => {
  const map = new MapReader(yaml, "an account")
  const limits = map.get("limit", (at) => {
    const limit = new MapReader(at, "limit")
    const read = {
      transactionMax: limit.get("transaction", numberOf) ?? UNLIMITED,
      dayMax: limit.get("day", numberOf) ?? UNLIMITED,
      dayCount: limit.get("count", numberOf) ?? UNLIMITED
    }
    limit.done()
    return read
  })
  const account = {
    balance: map.get("balance", numberOf) ?? USUAL_BALANCE,
    pin: map.get("pin", pinOf),
    pinTries: map.get("pin tries", wholeOf(1, 99)) ?? PIN_TRIES,
    ...(limits ?? { transactionMax: UNLIMITED, dayMax: UNLIMITED, dayCount: UNLIMITED })
  }
  map.done()
  return account
}

const accountsOf = (yaml: Yaml): Accounts => {
  if (yaml.kind !== "map") throw invalidAt(yaml, "accounts needs a map by card number")
  const cards = new Map<string, AccountPlan>()
  let others: AccountPlan | undefined
  for (const [card, account] of yaml.entries) {
    if (card === "others") others = accountOf(account)
    else if (/^\d{12,19}$/.test(card)) cards.set(card, accountOf(account))
    else {
      const rule = "a key of accounts is a card number of 12 to 19 digits, in quotes, or others"
      throw invalidAt(account, rule)
    }
  }
  return { cards, others }
}

const everyAccount: Accounts = {
  cards: new Map(),
  others: {
    ...{ balance: USUAL_BALANCE, transactionMax: UNLIMITED, dayMax: UNLIMITED, dayCount: UNLIMITED },
    ...{ pin: undefined, pinTries: PIN_TRIES }
  }
}

const keysOf = (yaml: Yaml): DialogueKeys => {
  if (yaml.kind !== "map") throw invalidAt(yaml, "keys needs a map by name")
  return new Map([...yaml.entries].map(([name, key]) => [name, readKey(key)]))
}

/** Why MACs cannot be made as the plan says; `undefined`: they can, or none are asked for. */
const macKeyWrong = ({ form, keyPlan, keys, macKey, rules }: Omit<PartnerPlan, "identity">): string | undefined => {
  if (macKey === undefined) {
    if (keyPlan?.kinds.includes("mac") === true) return undefined
    const asks = rules.some(({ conduct }) => conduct.wrong.includes("mac"))
    return asks ? "a rule makes a MAC wrong, and no key makes one: `keys` and `mac` are missing" : undefined
  }
  if (keys.get(macKey)?._tag !== "mac") {
    const names = [...keys].flatMap(([name, { _tag }]) => (_tag === "mac" ? [name] : []))
    return `no MAC key is called "${macKey}"; ${knownNames(macKey, names)}`
  }
  const { dialect } = form.codec
  const says = dialect.security?.mac !== undefined
  return says ? undefined : `the dialect ${dialect.name} does not say where a MAC is (\`security.mac\`)`
}

/** Why PINs cannot be looked at as the plan says; `undefined`: they can, or nobody is to. */
const pinKeyWrong = ({ accounts, form, keyPlan, keys, pinKey }: Omit<PartnerPlan, "identity">): string | undefined => {
  if (pinKey === undefined) {
    if (keyPlan?.kinds.includes("pin") === true) return undefined
    const asks = [...accounts.cards.values(), accounts.others].some((account) => account?.pin !== undefined)
    return asks ? "an account has a PIN, and no key opens a block: `keys` and `pin` are missing" : undefined
  }
  if (keys.get(pinKey)?._tag !== "pin") {
    const names = [...keys].flatMap(([name, { _tag }]) => (_tag === "pin" ? [name] : []))
    return `no PIN key is called "${pinKey}"; ${knownNames(pinKey, names)}`
  }
  const { dialect } = form.codec
  const says = dialect.security?.pin !== undefined
  return says ? undefined : `the dialect ${dialect.name} does not say where a PIN block is (\`security.pin\`)`
}

/** The time of the network: CUPS and the terminals of UnionPay have Beijing's, where all others have UTC. */
const usualZone = ({ header }: Dialect): number =>
  header?.name === "cups46" || header?.name === "tpdu6" ? 8 * 3_600_000 : 0

const zoneOf = (yaml: Yaml): number => {
  const found = /^([+-])(\d\d):([0-5]\d)$/.exec(textOf(yaml))
  if (found !== null && Number(found[2]) <= 14) {
    const ms = (Number(found[2]) * 60 + Number(found[3])) * 60_000
    return found[1] === "-" ? -ms : ms
  }
  throw invalidAt(yaml, 'an offset from UTC is expected, in quotes: "+08:00"')
}

/** Durations of a sign-on that is not answered, and of the far side's patience. */
const usual = { signOnMs: 10_000, timeoutMs: 10_000 }

const signOnOf = (yaml: Yaml): PartnerPlan["signOn"] => {
  const map = new MapReader(yaml, "sign-on")
  const signOn = {
    isSent: map.get("send", yesNoOf) ?? false,
    isExpected: map.get("expect", yesNoOf) ?? false,
    timeoutMs: map.get("timeout", durationOf) ?? usual.signOnMs
  }
  map.done()
  return signOn
}

const institutionOf = (yaml: Yaml): string => {
  const text = textOf(yaml)
  if (/^\d{1,11}$/.test(text)) return text
  throw invalidAt(yaml, "an institution's code is expected: 1 to 11 digits, in quotes")
}

const nameOf = (yaml: Yaml): string => {
  const text = textOf(yaml)
  if (/^[\w-]{1,40}$/.test(text)) return text
  throw invalidAt(yaml, "a name is expected: letters, digits, - and _")
}

/** Reads one file with what it names. */
class Reading {
  readonly files = new Set<string>()
  /** What the other files held, by path. */
  private readonly held = new Map<string, string>()
  private readonly path: string
  private readonly file: string
  private readonly dialects = new Map<string, Dialect>()

  constructor(path: string, file: string) {
    this.path = path
    this.file = file
  }

  plans(): ReadonlyArray<PartnerPlan> {
    const top = parseYaml(this.file, this.bytes(this.path).toString("utf8"))
    const each = this.partners(top)
    const read = each.map((yaml) => this.plan(yaml))
    const others = JSON.stringify([...this.held])
    const plans = read.map((plan, at) => ({ ...plan, identity: saidBy(each[at]!) + others }))
    const names = new Map<string, PartnerPlan>()
    plans.forEach((plan, place) => {
      if (!names.has(plan.name)) return void names.set(plan.name, plan)
      const rule = `two partners are called "${plan.name}"`
      throw invalidAt(each[place]!, rule)
    })
    return plans
  }

  /** The maps of all partners: what is above a list of them holds where one says nothing. */
  private partners(top: YamlMap): ReadonlyArray<Yaml> {
    const list = top.entries.get("partners")
    if (list === undefined) return this.copies(top)
    if (list.kind !== "list") throw invalidAt(list, "partners: needs a list, one partner an item")
    const common = [...top.entries].filter(([key]) => key !== "partners")
    const all = list.items.flatMap((item) => {
      if (item.kind !== "map") throw invalidAt(item, "a partner needs a map of keys")
      return this.copies({ ...item, entries: new Map([...common, ...item.entries]) })
    })
    if (all.length > PARTNERS_MAX) throw invalidAt(list, `more than ${PARTNERS_MAX} partners in one file`)
    return all
  }

  private copies(yaml: YamlMap): ReadonlyArray<Yaml> {
    const copies = yaml.entries.get("copies")
    if (copies === undefined) return [yaml]
    const count = numberOf(copies)
    if (count < 1 || count > PARTNERS_MAX) throw invalidAt(copies, `1 to ${PARTNERS_MAX} copies are possible`)
    const name = yaml.entries.get("partner")
    if (name?.kind !== "text" || !isNumbered(name.text)) {
      throw invalidAt(name ?? copies, "copies need {n} in their name: partner: branch-{n}")
    }
    const entries = new Map([...yaml.entries].filter(([key]) => key !== "copies"))
    return Array.from({ length: count }, (_, at) => copyOf({ ...yaml, entries }, at + 1))
  }

  private plan(yaml: Yaml): Omit<PartnerPlan, "identity"> {
    const map = new MapReader(yaml, "a partner")
    const dialect = map.get("dialect", (at) => this.dialect(at)) ?? cups
    const form = makeWireFormat(dialect, map.get("frame", frameOf))
    const text = (key: string) => map.get(key, textOf)
    const first = { keys: map.get("keys", keysOf) ?? new Map(), macKey: text("mac"), pinKey: text("pin") }
    const keyPlan = map.get("key exchange", keyPlanOf(dialect, first))
    const plan: Omit<PartnerPlan, "identity"> = {
      name: map.need("partner", nameOf),
      form,
      institution: map.get("institution", institutionOf) ?? "01020000",
      farSide: map.get("far side", institutionOf) ?? "00010000",
      link: map.need(
        "link",
        linkOf((path) => this.bytes(resolve(dirname(this.path), path)))
      ),
      signOn: map.get("sign-on", signOnOf) ?? { isSent: false, isExpected: false, timeoutMs: usual.signOnMs },
      timeoutMs: map.get("timeout", durationOf) ?? usual.timeoutMs,
      utcOffsetMs: map.get("time zone", zoneOf) ?? usualZone(dialect),
      seed: map.get("seed", numberOf) ?? 1,
      ...first,
      keyPlan,
      accounts: map.get("accounts", accountsOf) ?? everyAccount,
      rules: map.get("rules", eachOf(ruleOf(form.codec, keyPlan))) ?? [],
      schedule: map.get("schedule", eachOf(scheduledOf(dialect, keyPlan))) ?? [],
      sends: map.get(
        "sends",
        sendPlanOf(form.codec, (path) => this.bytes(resolve(dirname(this.path), path)))
      ),
      history: this.placed(text("history")),
      ledger: this.placed(text("ledger"))
    }
    map.done(["partners", "copies"])
    const wrongKey = macKeyWrong(plan)
    if (wrongKey !== undefined) throw map.wrong(plan.macKey === undefined ? "rules" : "mac", wrongKey)
    const wrongPin = pinKeyWrong(plan)
    if (wrongPin !== undefined) throw map.wrong(plan.pinKey === undefined ? "accounts" : "pin", wrongPin)
    const wrongWay = plan.sends === undefined ? undefined : cannotSend(plan.link)
    if (wrongWay !== undefined) throw map.wrong("sends", wrongWay)
    if (plan.sends?.pin !== undefined && plan.pinKey === undefined && plan.keyPlan?.kinds.includes("pin") !== true) {
      throw map.wrong(
        "sends",
        "a PIN needs a key that makes its block: `keys` and `pin`, or `key exchange` are missing"
      )
    }
    if (plan.signOn.isSent && !canSay(dialect, "sign-on")) {
      throw map.wrong("sign-on", `the dialect ${dialect.name} has no sign-on`)
    }
    return plan
  }

  private placed(path: string | undefined): string | undefined {
    return path === undefined ? undefined : resolve(dirname(this.path), path)
  }

  private dialect(yaml: Yaml): Dialect {
    const name = textOf(yaml)
    const dialect = this.dialects.get(name) ?? namedDialectOf((at) => this.named(at, name))(yaml)
    this.dialects.set(name, dialect)
    return dialect
  }

  private named(yaml: Yaml, name: string): string {
    try {
      return this.bytes(resolve(dirname(this.path), name)).toString("utf8")
    } catch (error) {
      throw invalidAt(yaml, `${name} cannot be read: ${reasonOf(error)}`)
    }
  }

  private bytes(path: string): Buffer {
    this.files.add(path)
    const bytes = bytesOfFile(path)
    if (path !== this.path) this.held.set(path, createHash("sha256").update(bytes).digest("hex"))
    return bytes
  }
}

/** Reads a partner file; `file` is how errors call it. */
export const readPartners = (path: string, file: string = path): Effect.Effect<PartnersFile, FileInvalid> =>
  Effect.try({
    try: () => {
      const reading = new Reading(resolve(path), file)
      return { plans: reading.plans(), files: [...reading.files] }
    },
    catch: asFileInvalid(file)
  })

/** What tells one state of some files from another; a file that is not there has one, too. */
export const stateOf = (files: ReadonlyArray<string>): string =>
  files
    .map((path) => {
      const found = statSync(path, { throwIfNoEntry: false })
      return found === undefined ? "gone" : `${found.mtimeMs} ${found.size} ${found.ino}`
    })
    .join("|")
