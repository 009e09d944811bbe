/**
 * The rules in force: a plan for a proxy, changed while it runs.
 *
 * Owns which rule acts on which message, how often, from when until when, and what is drawn. What is drawn depends on the seed,
 * the rule's text and how many messages have fitted it: the same seed and the same messages in the same order meet the same
 * faults.
 */
import { coverTyped, type MessageIndex, mtiText, toHex } from "@jinka/codec"
import { type Chance, chanceOf } from "../chance/Chance.ts"
import type { WireFormat } from "../dialogue/WireFormat.ts"
import type { FlowFaults, Stage, StageOut } from "../link/FaultFlow.ts"
import type { FaultPlan, OneWay, PlanActs } from "../link/FaultProxy.ts"
import type { MacSettings } from "../message/MessageMac.ts"
import type { FaultLine } from "./FaultHistory.ts"
import { type Condition, type CutFault, type FaultRule, isByteFault, isCutFault, needsMessages } from "./FaultRule.ts"
import { MessageFaults, type Met, type RuleBook, type Seen } from "./MessageFaults.ts"

/** What rules need of a proxy. */
export interface FaultRulesSettings {
  readonly seed: number
  /** Without it there are no rules about messages. */
  readonly form: WireFormat | undefined
  readonly mac: MacSettings | undefined
  /** Takes lines of the history. */
  readonly note: (line: Omit<FaultLine, "at">) => void
  /** Told every message as it came. */
  readonly saw: (connection: number, direction: OneWay, message: Buffer) => void
}

/** A rule in force, as it is told. */
export interface RuleState {
  readonly id: number
  readonly rule: string
  /** Messages that fitted it, and those that met it. */
  readonly fitted: number
  readonly met: number
  readonly state: "waiting" | "in force" | "over"
}

interface Active {
  readonly id: number
  readonly rule: FaultRule
  readonly chance: Chance
  /** When its times count from. */
  readonly since: number
  readonly isOfMessages: boolean
  fitted: number
  met: number
  isDone: boolean
  /** The history has that it began, and not yet that it ended. */
  isNoted: boolean
}

/** The rules of one proxy. */
export class FaultRules implements FaultPlan, RuleBook {
  private readonly settings: FaultRulesSettings
  private readonly rules: Array<Active> = []
  private readonly waiting: Array<FaultRule> = []
  private acts: PlanActs | undefined
  private ids = 0
  private now = 0

  constructor(settings: FaultRulesSettings, rules: ReadonlyArray<FaultRule>) {
    // Somebody may have written a card number into a rule.
    const shown = ({ rule, ...line }: Omit<FaultLine, "at">): Omit<FaultLine, "at"> =>
      rule === undefined ? line : { ...line, rule: coverTyped(rule) }
    this.settings = { ...settings, note: (line) => settings.note(shown(line)) }
    this.waiting.push(...rules)
  }

  /** Whether rules about messages can be carried out: the proxy knows frames and a dialect. */
  get readsMessages(): boolean {
    return this.settings.form !== undefined
  }

  begin(now: number, acts: PlanActs): void {
    this.now = now
    this.acts = acts
    for (const rule of this.waiting.splice(0)) this.put(rule, ++this.ids)
  }

  /** Puts a rule in force, or another one in the place of `id`; its times count from now. Gives its number. */
  set(rule: FaultRule, id?: number): number | undefined {
    if (id !== undefined && !this.remove(id)) return undefined
    const number = id ?? ++this.ids
    this.put(rule, number)
    this.settings.note({ did: "set", connection: 0, rule: rule.text })
    return number
  }

  /** Takes one rule, or all, out of force; gives how many there were. */
  clear(id?: number): number {
    const gone = this.rules.filter((one) => id === undefined || one.id === id)
    for (const one of gone) {
      this.remove(one.id)
      this.settings.note({ did: "cleared", connection: 0, rule: one.rule.text })
    }
    return gone.length
  }

  list(): ReadonlyArray<RuleState> {
    return this.rules.map((one) => ({
      id: one.id,
      rule: coverTyped(one.rule.text),
      fitted: one.fitted,
      met: one.met,
      state: this.isOver(one) ? "over" : this.isInForce(one) ? "in force" : "waiting"
    }))
  }

  // ---------------------------------------------------------------- as a proxy asks

  flow(direction: OneWay, now: number): Partial<FlowFaults> {
    this.now = now
    let faults: Partial<FlowFaults> = {}
    for (const one of this.rules) {
      if (!isByteFault(one.rule.fault) || !this.isAbout(one, direction)) continue
      faults = { ...faults, ...flowOf(one.rule) }
    }
    return faults
  }

  get stage(): ((connection: number, direction: OneWay, out: StageOut) => Stage) | undefined {
    const { form, mac } = this.settings
    if (form === undefined) return undefined
    return (connection, direction, out) => new MessageFaults(form, mac, this, connection, direction, out)
  }

  tick(now: number): boolean {
    this.now = now
    let isRefusing = false
    for (const one of this.rules) {
      this.noteTimes(one, this.isInForce(one))
      if (one.rule.fault.kind === "refuse" && this.isInForce(one)) isRefusing = true
      if (one.isOfMessages || one.isDone || !isCutFault(one.rule.fault) || now < one.since + one.rule.from) continue
      one.isDone = true
      one.met++
      this.cutNow(one.rule, one.rule.fault)
    }
    return isRefusing
  }

  opened(connection: number): void {
    this.settings.note({ did: "connected", connection })
  }

  closed(connection: number, why: string): void {
    this.settings.note({ did: "disconnected", connection, ...(why === "" ? {} : { says: why }) })
  }

  corrupted(connection: number, direction: OneWay, at: number): void {
    const rule = this.rules.find((one) => one.rule.fault.kind === "corrupt" && this.isAbout(one, direction))?.rule.text
    const says = `byte ${at} of the stream`
    this.settings.note({ did: "corrupt", connection, direction, ...(rule === undefined ? {} : { rule }), says })
  }

  // ---------------------------------------------------------------- as a direction asks

  isWatching(direction: OneWay): boolean {
    return this.rules.some((one) => one.isOfMessages && this.isAbout(one, direction))
  }

  messageMeets(seen: Seen): ReadonlyArray<Met> {
    return this.meets(seen, (rule) => rule.fault.kind !== "swallow" && fits(rule, seen.index))
  }

  idleMeets(seen: Seen): ReadonlyArray<Met> {
    return this.meets(seen, (rule) => rule.fault.kind === "swallow")
  }

  note(line: Omit<FaultLine, "at">): void {
    this.settings.note(line)
  }

  saw(connection: number, direction: OneWay, message: Buffer): void {
    this.settings.saw(connection, direction, message)
  }

  cut(fault: CutFault, connection: number, direction: OneWay): void {
    if (fault.kind === "half-close") this.acts?.halfClose(direction, connection)
    else this.acts?.cut(fault.kind === "reset" ? "reset" : "fin", connection)
  }

  // ----------------------------------------------------------------

  private put(rule: FaultRule, id: number): void {
    const chance = chanceOf(this.settings.seed, "rule", rule.text)
    const isOfMessages = needsMessages(rule)
    this.rules.push({
      id,
      rule,
      chance,
      since: this.now,
      isOfMessages,
      fitted: 0,
      met: 0,
      isDone: false,
      isNoted: false
    })
    this.rules.sort((one, other) => one.id - other.id)
  }

  private remove(id: number): boolean {
    const at = this.rules.findIndex((one) => one.id === id)
    if (at < 0) return false
    this.noteTimes(this.rules[at]!, false)
    this.rules.splice(at, 1)
    return true
  }

  /** A fault that befalls no message of its own has a line when it begins, and one when it has ended. */
  private noteTimes(one: Active, isInForce: boolean): void {
    const { connection, direction, fault, text } = one.rule
    if (!isByteFault(fault) || fault.kind === "corrupt" || isInForce === one.isNoted) return
    one.isNoted = isInForce
    const way = direction === "both" ? {} : { direction }
    this.settings.note({ did: isInForce ? "began" : "ended", connection, ...way, rule: text })
  }

  private isOver({ isDone, met, rule, since }: Active): boolean {
    return isDone || met >= rule.frequency.most || this.now >= since + rule.until
  }

  private isInForce(one: Active): boolean {
    return this.now >= one.since + one.rule.from && !this.isOver(one)
  }

  private isAbout(one: Active, direction: OneWay): boolean {
    return (one.rule.direction === "both" || one.rule.direction === direction) && this.isInForce(one)
  }

  private meets({ connection, direction }: Seen, isFit: (rule: FaultRule) => boolean): ReadonlyArray<Met> {
    const met: Array<Met> = []
    for (const one of this.rules) {
      const { fault, frequency, text } = one.rule
      if (!one.isOfMessages || isByteFault(fault) || !this.isAbout(one, direction)) continue
      if ((one.rule.connection !== 0 && one.rule.connection !== connection) || !isFit(one.rule)) continue
      one.fitted++
      // Drawn for each that fits, whatever becomes of it: so one more rule changes nothing for this one.
      const isDrawn = one.chance.percent(frequency.percent)
      const jitter = one.chance.next()
      const counted = one.fitted - frequency.after
      if (counted <= 0 || counted % frequency.every !== 0 || !isDrawn) continue
      one.met++
      met.push({ text, fault, ms: fault.kind === "delay" ? Math.round(fault.ms + jitter * fault.jitterMs) : 0 })
    }
    return met
  }

  private cutNow({ connection, direction, text }: FaultRule, fault: CutFault): void {
    this.settings.note({ did: fault.kind, connection, rule: text })
    if (fault.kind !== "half-close") return this.cut(fault, connection, "toTarget")
    if (direction !== "fromTarget") this.cut(fault, connection, "toTarget")
    if (direction !== "toTarget") this.cut(fault, connection, "fromTarget")
  }
}

const flowOf = ({ fault }: FaultRule): Partial<FlowFaults> => {
  switch (fault.kind) {
    case "latency":
      return { delay: fault.ms, jitter: fault.jitterMs }
    case "bandwidth":
      return { bytesPerSecond: fault.bytesPerSecond }
    case "slice":
      return { slice: fault.bytes }
    case "corrupt":
      return { corruptEvery: fault.every }
    case "hold":
      return { isHeld: true }
    case "black-hole":
      return { isBlackHole: true }
    default:
      return {}
  }
}

/** Whether a message is one that the rule is about. One that cannot be read fits only a rule about any message. */
const fits = ({ conditions, mtis }: FaultRule, index: MessageIndex | undefined): boolean => {
  if (index === undefined) return mtis.length === 0 && conditions.length === 0
  const mti = mtiText(index.mti)
  const isMti =
    mtis.length === 0 || mtis.some((one) => [...one].every((digit, at) => digit === "x" || digit === mti[at]))
  return isMti && conditions.every((condition) => holds(condition, index, mti))
}

const holds = (condition: Condition, index: MessageIndex, mti: string): boolean => {
  const { de } = condition
  if (!("value" in condition)) return index.has(de) === (condition.is === "present")
  if (de !== 0 && !index.has(de)) return false
  const isBytes = index.layout?.fields[de]?.bytes === true
  const value = de === 0 ? mti : isBytes ? toHex(index.bytes(de)) : index.text(de).trimEnd()
  return compares(value, condition.is, condition.value)
}

const compares = (value: string, is: Exclude<Condition["is"], "present" | "absent">, other: string): boolean => {
  if (is === "begins") return value.startsWith(other)
  if (is === "holds") return value.includes(other)
  const isNumber = /^\d+$/.test(value) && /^\d+$/.test(other)
  const order = isNumber ? Number(BigInt(value) - BigInt(other)) : value < other ? -1 : value > other ? 1 : 0
  if (is === "=") return order === 0
  if (is === "!=") return order !== 0
  if (is === ">") return order > 0
  if (is === ">=") return order >= 0
  return is === "<" ? order < 0 : order <= 0
}
