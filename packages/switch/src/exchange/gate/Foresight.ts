/**
 * What leaves is sealed before it may: while a device holds a message against its MAC, what becomes of the message on the other
 * side gets its own. The two take one device's time, and not two (docs/decisions/0027-sealed-ahead.md).
 *
 * A guess, and nothing more: it sends, journals and remembers nothing. When the message was found right, whoever takes it finds
 * it sealed, if it becomes what was guessed; otherwise what was made is thrown away, and the message takes its usual way.
 */
import { MessageIndex, mtiClass } from "@jinka/codec"
import type { Sealing } from "../../guard/Sealing.ts"
import { Crossing } from "../../message/Crossing.ts"
import { sentFieldsOf } from "../../message/Language.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import { State } from "../Exchange.ts"
import { KEY_LENGTH_MAX } from "../request/Outstanding.ts"
import type { Seals } from "./Seals.ts"

/** The guesses of one switch. */
export class Foresight {
  private readonly desks: Desks
  private readonly seals: Seals
  private readonly crossing = new Crossing()
  private readonly asked = new MessageIndex()
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)

  constructor(desks: Desks, seals: Seals) {
    this.desks = desks
    this.seals = seals
  }

  /** A message of the desk's partner is with a device: what it will leave as, on its way to its seal. `undefined`: no guess. */
  look(desk: Desk, index: MessageIndex): Sealing | undefined {
    if (index.rejectCode !== 0) return undefined
    const kind = mtiClass(index.mti)
    try {
      if (kind === "request") return this.request(desk, index)
      return kind === "response" ? this.answer(desk, index) : undefined
    } catch (thrown) {
      // The message itself is with the device already, and goes its usual way.
      this.desks.defects.met(desk, 0, "a message was not sealed ahead of its verdict", thrown)
      return undefined
    }
  }

  /** Where the target knows messages by STANs of ours there is none yet: the request gets it with its place in the journal. */
  private request(origin: Desk, index: MessageIndex): Sealing | undefined {
    const { language, link } = origin
    if (!link.isSignedOn || link.isClosedForRequests) return undefined
    const { groups, router } = this.desks
    const to = router.route(language, index, origin.id)
    const target = to === undefined ? undefined : groups.foreseen(to, origin, index)
    if (target?.guard === undefined || target.language.hasOwnStan) return undefined
    return this.seals.foreseen(origin, target, index)
  }

  private answer(target: Desk, heard: MessageIndex): Sealing | undefined {
    const { language } = target
    const length = language.key(heard, sentFieldsOf(language, heard.mti), this.key)
    const holder = this.desks.groups.holder(target, this.key, length)
    const slot = holder.outstanding.find(this.key, 0, length)
    if (slot === undefined || holder.outstanding.state(slot.id) !== State.open) return undefined
    const origin = this.desks.at(slot.origin)
    if (origin.guard === undefined) return undefined
    const { asked, crossing, seals } = this
    origin.language.index(slot.request, 0, slot.requestLength, asked)
    const named = holder.language.hasOwnStan ? language.withStan(heard, origin.language.stan(asked)) : heard
    if (named === undefined) return undefined
    const bare = target.guard === undefined ? named : seals.bare(target.guard, named)
    if (!crossing.prepare(language, origin.language, bare, asked)) return undefined
    return seals.foreseenAnswer(origin, holder.id, slot, crossing.length, (out) => crossing.write(out, 0))
  }
}
