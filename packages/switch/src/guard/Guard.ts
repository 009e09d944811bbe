/**
 * What is between one link and the rest of the switch: its partner's messages are held against their MACs, and what leaves
 * gets one; PIN blocks go from zone to zone.
 *
 * A guard fills in the calls to the security module and reads their outcomes. It sends nothing, waits for nothing and keeps no
 * message: `Checks` and `Seals` do. The keys are the ring's, whichever are there at that moment.
 */
import type { Codec, MessageIndex } from "@jinka/codec"
import type { GuardSettings } from "./GuardSettings.ts"
import type { KeyRing, KeySlot } from "./KeyRing.ts"
import { carriesMac, fieldOfMac, readMac } from "./MacField.ts"
import { MacText } from "./MacText.ts"
import type { ModuleCall } from "./ModuleCall.ts"

/**
 * What a received message is worth. `unproved`: it could not be looked at, because of a key or of the module; what `unproved`
 * says is told to nobody but the operator.
 */
export type Verdict = "right" | "wrong" | "missing" | "unproved"

/** Covered bytes of the message at hand; nothing outlives the module's call. */
const covered = new MacText()

/** What a link's guard has done since the start. */
export interface GuardCounts {
  /** Messages whose MAC fitted the current key, the previous one, or none, and those that had none. */
  readonly current: number
  readonly previous: number
  readonly wrong: number
  readonly missing: number
  /** Messages that could not be held against their MAC. */
  readonly unproved: number
  /** MACs made, and messages that did not leave because theirs could not be. */
  readonly made: number
  readonly unmade: number
  /** PIN blocks translated, and those that could not be. */
  readonly translated: number
  readonly untranslated: number
  /** Answers in which the partner says that our MAC is wrong. */
  readonly refusedByPartner: number
}

/** See above. */
export class Guard {
  readonly settings: GuardSettings
  readonly codec: Codec
  /** Number of its link. */
  readonly link: number
  private readonly ring: KeyRing
  missing = 0
  unproved = 0
  made = 0
  unmade = 0
  translated = 0
  untranslated = 0
  refusedByPartner = 0
  /** Wrong and missing MACs in a row. */
  failuresInRow = 0
  private refusedInRow = 0

  constructor(link: number, codec: Codec, settings: GuardSettings, ring: KeyRing) {
    this.link = link
    this.codec = codec
    this.settings = settings
    this.ring = ring
  }

  /** The key for MACs of what is sent, or of what is received. */
  macSlot(direction: "send" | "receive"): KeySlot | undefined {
    return this.ring.at(this.link, "mac", direction)
  }

  /** The same for PIN blocks. */
  pinSlot(direction: "send" | "receive"): KeySlot | undefined {
    return this.ring.at(this.link, "pin", direction)
  }

  /** Whether a received message of this kind is held against a MAC. */
  checks({ mti }: MessageIndex): boolean {
    const { mac } = this.settings
    return mac !== undefined && mac.receive !== "none" && carriesMac(mac, mti)
  }

  /** Whether a message of this type gets a MAC when it leaves. */
  seals(mti: number): boolean {
    const { mac } = this.settings
    return mac !== undefined && mac.send === "always" && carriesMac(mac, mti)
  }

  /**
   * Asks for the check of a message that `checks` names. What needs no module is said at once; `undefined`: the call is filled
   * in. A reject of the centre carries our own message with our own MAC.
   */
  ask(index: MessageIndex, call: ModuleCall): Verdict | undefined {
    const mac = this.settings.mac!
    const { layout } = this.codec
    const isOurs = index.rejectCode !== 0
    if (isOurs && mac.send === "none") return "right"
    if (!index.has(fieldOfMac(layout, mac.field, index))) {
      return mac.receive === "required" || isOurs ? "missing" : "right"
    }
    const slot = this.macSlot(isOurs ? "send" : "receive")
    if (slot?.current === undefined) return "unproved"
    const received = readMac(layout, mac, index)
    if (received === undefined) return "wrong"
    covered.take(layout, mac, index)
    call.verifyMac(mac.algorithm, slot.current, slot.previous, covered.buffer, covered.from, covered.to, received)
    return undefined
  }

  /** What the call has brought. */
  verdict({ error }: ModuleCall): Verdict {
    if (error === undefined) return "right"
    return error._tag === "MacFailed" ? "wrong" : "unproved"
  }

  /**
   * Counts a verdict; returns how many wrong or missing MACs have come in a row. `call`: which key fitted, where one was asked.
   */
  count(verdict: Verdict, call: ModuleCall | undefined): number {
    if (verdict === "unproved") {
      this.unproved++
      return 0
    }
    const slot = this.macSlot("receive")
    if (verdict === "right") {
      if (call?.fitted === undefined) return 0
      slot?.count(call.fitted === slot.current ? "current" : "previous")
      this.failuresInRow = 0
      return 0
    }
    if (verdict === "missing") this.missing++
    slot?.count("none")
    return ++this.failuresInRow
  }

  /** An answer of the partner says that our MAC was wrong, or does not; returns how many do in a row. */
  answered(isRefused: boolean): number {
    if (isRefused) this.refusedByPartner++
    this.refusedInRow = isRefused ? this.refusedInRow + 1 : 0
    return this.refusedInRow
  }

  /** Whether the keys are there without which the link cannot be used. */
  get hasKeys(): boolean {
    const { mac } = this.settings
    if (mac === undefined) return true
    const isSent = mac.send === "none" || this.macSlot("send")?.current !== undefined
    return isSent && (mac.receive !== "required" || this.macSlot("receive")?.current !== undefined)
  }

  /** Asks for the MAC of a message that has its field in place. False: there is no key for it. */
  askMac(index: MessageIndex, call: ModuleCall): boolean {
    const mac = this.settings.mac!
    const key = this.macSlot("send")?.current
    if (key === undefined) return false
    covered.take(this.codec.layout, mac, index)
    call.makeMac(mac.algorithm, key, covered.buffer, covered.from, covered.to, mac.bytes)
    return true
  }

  /** See `GuardCounts`. */
  get counts(): GuardCounts {
    const { missing, unproved, made, unmade, translated, untranslated, refusedByPartner } = this
    const slot = this.macSlot("receive")
    return {
      current: slot?.fittedCurrent ?? 0,
      previous: slot?.fittedPrevious ?? 0,
      wrong: (slot?.fittedNone ?? 0) - missing,
      missing,
      unproved,
      made,
      unmade,
      translated,
      untranslated,
      refusedByPartner
    }
  }
}
