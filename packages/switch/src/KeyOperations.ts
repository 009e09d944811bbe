/**
 * What persons may do with keys while the switch runs: look at them, ask for new ones, import one by its components or as a
 * device has it, and retire it. Each is in the journal with who did it and why.
 *
 * A key in components is put together when the last one is there; each comes from another person. Until then the components are
 * held in memory alone, for a quarter of an hour; a restart forgets them.
 */
import { type Cipher, isSecurityError, type KeyKind, keyCheckValue } from "@jinka/codec"
import { Effect } from "effect"
import { actText } from "./ActText.ts"
import type { Desk } from "./exchange/Desk.ts"
import type { Desks } from "./exchange/Desks.ts"
import type { KeyExchanges } from "./exchange/keys/KeyExchanges.ts"
import type { KeyOutcome } from "./exchange/keys/KeyWork.ts"
import { mismatch } from "./guard/KeyFits.ts"
import type { KeyHandle, KeyPurpose } from "./guard/KeyHandle.ts"
import type { KeyDirection, KeySlot } from "./guard/KeyRing.ts"
import { shownCheckMethod } from "./guard/KeyRules.ts"
import { type HeldKey, slotName } from "./guard/KeyTable.ts"
import { explainModuleError } from "./guard/ModuleError.ts"
import type { SecurityModule } from "./guard/SecurityModule.ts"
import { noSuchLink, OperationRefused, type Operator, whyOf } from "./Operations.ts"

/** How long components are held, in milliseconds, and how many keys in the making. */
const HELD_MS = 900_000
const HELD_MAX = 32

/** A key as an operator sees it. */
export interface KeyShown {
  readonly version: number
  readonly algorithm: Cipher
  readonly checkValue: string
  /** Milliseconds since the epoch. */
  readonly since: number
}

/** A slot as an operator sees it. */
export interface KeyLine {
  readonly link: string
  /** `mac/both`. */
  readonly slot: string
  readonly current: KeyShown | null
  readonly previous: (KeyShown & { readonly until: number }) | null
  readonly offered: KeyShown | null
  /** Messages since the start that fitted the current key, the previous one, and none. */
  readonly fitted: { readonly current: number; readonly previous: number; readonly none: number }
  /** When it is asked for by rule; empty: never. */
  readonly schedule: string
}

/** Which slot is meant. */
export interface KeyPlaceAsked {
  readonly link: string
  readonly purpose: KeyPurpose
  readonly direction: KeyDirection
}

/** A component of a key, or a whole key as a device has it. */
export interface KeyImport extends KeyPlaceAsked {
  readonly algorithm: Cipher
  /** Which component of how many, and its bytes; they are overwritten once they were used. */
  readonly component: { readonly number: number; readonly of: number; readonly bytes: Uint8Array } | undefined
  /** The key as the security module itself wrote it. */
  readonly text: string | undefined
  /** The check value that the whole key must have; empty: none was given. */
  readonly checkValue: string
  /** Who brings it. */
  readonly person: string
}

/** What came of an import. */
export interface KeyImported {
  /** Whether the key is whole and in use. */
  readonly isWhole: boolean
  /** Of the component, or of the whole key. */
  readonly checkValue: string
  readonly says: string
}

interface Held {
  readonly algorithm: Cipher
  readonly of: number
  readonly until: number
  readonly parts: Map<number, { readonly bytes: Uint8Array; readonly person: string; readonly user: string }>
}

const refuse = (says: string, reason: OperationRefused["reason"] = "NotNow") =>
  Effect.fail(new OperationRefused({ reason, says }))

const shown = ({ algorithm, at, checkValue, version }: HeldKey): KeyShown => ({
  version,
  algorithm,
  checkValue,
  since: at
})

/** See above. */
export class KeyOperations {
  private readonly desks: Desks
  private readonly exchanges: KeyExchanges | undefined
  private readonly module: SecurityModule | undefined
  private readonly held = new Map<string, Held>()

  constructor(desks: Desks, exchanges: KeyExchanges | undefined, module: SecurityModule | undefined) {
    this.desks = desks
    this.exchanges = exchanges
    this.module = module
  }

  /** All slots, or those of one link. */
  list(link?: string): Effect.Effect<ReadonlyArray<KeyLine>, OperationRefused> {
    return Effect.suspend(() => {
      if (link !== undefined && this.deskOf(link) === undefined) return this.noSuchLink(link)
      return Effect.succeed(
        this.desks.present
          .filter(({ name }) => link === undefined || name === link)
          .flatMap((desk) => this.desks.keys.slots(desk.id).map((slot) => this.line(desk, slot)))
      )
    })
  }

  /** Asks for a new key of a kind, or of all kinds, and waits for what becomes of it. */
  ask(
    link: string,
    kind: KeyKind | undefined,
    by: Operator
  ): Effect.Effect<ReadonlyArray<KeyOutcome>, OperationRefused> {
    return Effect.suspend(() => {
      const { exchanges } = this
      const desk = this.deskOf(link)
      if (desk === undefined) return this.noSuchLink(link)
      const at = exchanges?.at(desk)
      if (exchanges === undefined || at === undefined) {
        return refuse(`${link} exchanges no keys: give it \`keys\` in the configuration, or \`jinka key import\` one.`)
      }
      const kinds = kind === undefined ? exchanges.kindsAsked(at) : [kind]
      const wrong = kinds.find((one) => !at.settings.kinds.includes(one))
      if (wrong !== undefined)
        return refuse(`${link} has no ${wrong} key: its kinds are ${at.settings.kinds.join(", ")}.`)
      return Effect.forEach(
        kinds,
        (one) =>
          Effect.callback<KeyOutcome>((resume) => {
            const cause = { says: "asked for by hand", ...signed(by) }
            exchanges.ask(at, one, cause, (outcome) => resume(Effect.succeed(outcome)))
          }),
        { concurrency: "unbounded" }
      )
    })
  }

  /** Takes a component, or a whole key as a device has it. */
  import(asked: KeyImport, by: Operator): Effect.Effect<KeyImported, OperationRefused> {
    return Effect.suspend(() => {
      const { exchanges, module } = this
      const desk = this.deskOf(asked.link)
      if (desk === undefined) return this.noSuchLink(asked.link)
      if (exchanges === undefined || module === undefined) {
        return refuse("The switch has no security module: give it `security` in the configuration.")
      }
      const wrong = this.misplaced(desk, exchanges, asked)
      if (wrong !== undefined) return refuse(wrong)
      if (asked.text !== undefined) {
        const { algorithm, purpose } = asked
        const key = { form: "own", text: asked.text } as const
        const isTerminal = purpose === "pin" && desk.guard?.settings.pin?.keys === "terminal"
        return this.whole(desk, asked, [`${asked.person} (${by.user})`], by, (name) =>
          module.importKey({ name, purpose, algorithm, key, isTerminal })
        )
      }
      return this.component(desk, module, asked, by)
    }).pipe(Effect.ensuring(Effect.sync(() => asked.component?.bytes.fill(0))))
  }

  /** Destroys all keys of a slot. */
  retire(asked: KeyPlaceAsked, by: Operator): Effect.Effect<string, OperationRefused> {
    return Effect.suspend(() => {
      const desk = this.deskOf(asked.link)
      if (desk === undefined) return this.noSuchLink(asked.link)
      const side = asked.direction === "receive" ? "receive" : "send"
      const slot = this.desks.keys.at(desk.id, asked.purpose, side)
      const named = slotName(asked.purpose, asked.direction)
      if (this.exchanges === undefined || slot?.direction !== asked.direction || slot.current === undefined) {
        return refuse(`${asked.link} has no key ${named}: \`jinka key list\` shows those that it has.`)
      }
      const { checkValue } = slot.current
      return Effect.as(
        this.exchanges.retire(desk, slot, { says: "retired by hand", ...signed(by) }),
        `Key ${named} ${slot.version} of ${asked.link}, check value ${checkValue}, is destroyed. What needs it is refused until there is another.`
      )
    })
  }

  /** Why a key has no place where it is brought to: one in use is not touched by one for another direction. */
  private misplaced(
    desk: Desk,
    exchanges: KeyExchanges,
    { algorithm, direction, link, purpose }: KeyImport
  ): string | undefined {
    const at = exchanges.at(desk)
    if (purpose === "kek") {
      if (at === undefined) return `${link} exchanges no keys: give it \`keys\` in the configuration first.`
      return direction === "both" ? undefined : "A key-encryption key serves both directions: leave --direction out."
    }
    const exchanged = at?.settings.kinds.includes(purpose) === true ? exchanges.directionOf(at) : undefined
    const settings = desk.guard?.settings
    const unfit = settings === undefined ? undefined : mismatch(settings, purpose, algorithm)
    if (unfit !== undefined) return `The key is a ${algorithm} key, and ${unfit}.`
    const isUsed = exchanged !== undefined || (purpose !== "data" && settings?.[purpose] !== undefined)
    if (!isUsed) return `${link} has no \`${purpose}\` in the configuration: nothing would use the key.`
    const there = (["send", "receive"] as const)
      .filter((side) => direction === "both" || direction === side)
      .map((side) => this.desks.keys.at(desk.id, purpose, side))
      .find((slot) => slot?.current !== undefined && slot.direction !== direction)
    const wanted = exchanged ?? there?.direction ?? direction
    if (wanted === direction) return undefined
    return `The ${purpose} key of ${link} is one for ${wanted === "both" ? "both directions" : `what we ${wanted}`} (${slotName(purpose, wanted)}): say --direction ${wanted}${exchanged === undefined ? ", or retire that one first" : ""}.`
  }

  private component(
    desk: Desk,
    module: SecurityModule,
    asked: KeyImport,
    by: Operator
  ): Effect.Effect<KeyImported, OperationRefused> {
    const { number, of, bytes } = asked.component!
    const place = `${asked.link}\n${slotName(asked.purpose, asked.direction)}`
    this.forget()
    const known = this.held.get(place)
    if (known !== undefined && (known.of !== of || known.algorithm !== asked.algorithm)) {
      const minutes = Math.ceil((known.until - this.desks.runtime.monotonicMs()) / 60_000)
      return refuse(
        `Components of a ${known.algorithm} key of ${known.of} are here: bring the others of it, or begin again in ${minutes} minutes.`
      )
    }
    const until = this.desks.runtime.monotonicMs() + HELD_MS
    const held: Held = known ?? { algorithm: asked.algorithm, of, until, parts: new Map() }
    const value = keyCheckValue(asked.algorithm, bytes, shownCheckMethod(asked.algorithm))
    if (isSecurityError(value)) return refuse(`The component is no ${asked.algorithm} key: ${value.rule}.`)
    const checkValue = value.toString("hex").toUpperCase()
    const lengths = [...held.parts.values()].map((part) => part.bytes.length)
    if (lengths.some((length) => length !== bytes.length)) {
      return refuse(`The component has ${bytes.length} bytes, the other ${lengths[0]}: all have the length of the key.`)
    }
    if (number > of) return refuse(`There is no component ${number} of ${of}: the components are 1 to ${of}.`)
    const before = [...held.parts].find(([one, { person }]) => one !== number && isSame(person, asked.person))
    if (before !== undefined) {
      return refuse(`${asked.person} has brought component ${before[0]} already: each comes from another person.`)
    }
    const others = [...held.parts].filter(([one]) => one !== number)
    const weak = weakComponent(bytes, others)
    if (of > 1 && weak !== undefined) return refuse(weak)
    if (known === undefined && this.held.size >= HELD_MAX)
      return refuse("Too many keys have been begun and not finished: finish one.")
    held.parts.get(number)?.bytes.fill(0)
    held.parts.set(number, { bytes: Uint8Array.from(bytes), person: asked.person, user: by.user })
    this.held.set(place, held)
    const what = `component ${number} of ${of} for key ${slotName(asked.purpose, asked.direction)}`
    const came = `brought by ${asked.person}, check value ${checkValue}`
    this.desks.acted(desk, actText({ user: by.user, what, why: whyOf(by), came }))
    if (held.parts.size < of) {
      const missing = Array.from({ length: of }, (_, n) => n + 1).filter((n) => !held.parts.has(n))
      return Effect.succeed({
        isWhole: false,
        checkValue,
        says: `Component ${number} of ${of} is here. Missing: ${missing.join(", ")}; the switch waits ${HELD_MS / 60_000} minutes.`
      })
    }
    const persons = [...held.parts.values()].map(({ person, user }) => `${person} (${user})`)
    const components = [...held.parts.values()].map((part) => part.bytes)
    return this.whole(desk, asked, persons, by, (name) =>
      module.importKey({
        name,
        purpose: asked.purpose,
        algorithm: asked.algorithm,
        key: { form: "components", components }
      })
    ).pipe(Effect.ensuring(Effect.sync(() => this.drop(place))))
  }

  private whole(
    desk: Desk,
    asked: KeyImport,
    persons: ReadonlyArray<string>,
    by: Operator,
    make: (name: string) => ReturnType<SecurityModule["importKey"]>
  ): Effect.Effect<KeyImported, OperationRefused> {
    const exchanges = this.exchanges!
    const { direction, link, purpose } = asked
    const version = exchanges.table.record(link, asked).version + 1
    return Effect.gen({ self: this }, function* () {
      const handle: KeyHandle = yield* make(`${link}/${purpose}/${direction}/${version}`)
      const known = yield* this.valueAsLong(handle, asked.checkValue)
      if (!known.startsWith(asked.checkValue.toUpperCase())) {
        return yield* refuse(
          `The key has the check value ${known}, not ${asked.checkValue}: ${
            asked.component === undefined
              ? "it is another key. It was not taken."
              : "a component is wrong. None was taken; bring all of them again."
          }`
        )
      }
      const { algorithm, checkValue, text } = handle
      const cause = { says: "imported by hand", by: persons, reason: whyOf(by) }
      // Not before: a slot that is made takes the place of another one.
      const slot = this.desks.keys.slot(desk.id, purpose, direction)
      yield* exchanges.take(desk, slot, { algorithm, checkValue, text, mark: "" }, cause)
      return {
        isWhole: true,
        checkValue,
        says: `Key ${slotName(purpose, direction)} ${version} of ${link} is in use, check value ${checkValue}.`
      }
    }).pipe(
      Effect.mapError((error) =>
        error._tag === "OperationRefused"
          ? error
          : new OperationRefused({ reason: "NotNow", says: `The key was not taken. ${explainModuleError(error)}` })
      )
    )
  }

  /** The key's check value, as long as the one that it is held against where that is longer than what is shown. */
  private valueAsLong(handle: KeyHandle, asked: string): ReturnType<typeof longValue> {
    const isLonger = asked.length > handle.checkValue.length && handle.algorithm !== "aes"
    return isLonger ? longValue(this.module!, handle, asked) : Effect.succeed(handle.checkValue)
  }

  /** Overwrites the components that have waited too long. */
  private forget(): void {
    const now = this.desks.runtime.monotonicMs()
    for (const [place, { until }] of this.held) if (now >= until) this.drop(place)
  }

  private drop(place: string): void {
    for (const { bytes } of this.held.get(place)?.parts.values() ?? []) bytes.fill(0)
    this.held.delete(place)
  }

  private line(desk: Desk, slot: KeySlot): KeyLine {
    const { exchanges } = this
    const at = exchanges?.at(desk)
    const record = exchanges?.table.record(desk.name, slot)
    const previous = record?.previous ?? null
    return {
      link: desk.name,
      slot: slotName(slot.purpose, slot.direction),
      current: record?.current == null ? null : shown(record.current),
      previous: previous === null ? null : { ...shown(previous), until: previous.until },
      offered: record?.offered == null ? null : shown(record.offered),
      fitted: { current: slot.fittedCurrent, previous: slot.fittedPrevious, none: slot.fittedNone },
      schedule: exchanges === undefined || at === undefined || slot.purpose === "kek" ? "" : exchanges.scheduleOf(at)
    }
  }

  private deskOf(link: string): Desk | undefined {
    return this.desks.present.find(({ name }) => name === link)
  }

  private noSuchLink(link: string): Effect.Effect<never, OperationRefused> {
    return Effect.fail(noSuchLink(link, this.desks))
  }
}

const longValue = (module: SecurityModule, handle: KeyHandle, asked: string) =>
  Effect.map(module.checkValue(handle, { method: "zeros", length: Math.ceil(asked.length / 2) }), (value) =>
    value.toString("hex").toUpperCase()
  )

/** Whether bytes of a key are the same but for their parity bits. */
const isSameBut = (one: Uint8Array, other: Uint8Array): boolean =>
  one.every((byte, n) => ((byte ^ (other[n] ?? 0)) & 0xfe) === 0)

/** Why a component gives the key away to those who have the others; `undefined`: it does not. */
const weakComponent = (
  bytes: Uint8Array,
  others: ReadonlyArray<readonly [number, { readonly bytes: Uint8Array }]>
): string | undefined => {
  if (isSameBut(bytes, new Uint8Array(bytes.length)))
    return "The component is all zeros: whoever has the others has the key. Make another one."
  const twin = others.find(([, part]) => isSameBut(bytes, part.bytes))
  return twin && `The component is the same as component ${twin[0]}: the two cancel each other. Make another one.`
}

/** The same person, however the name is written. */
const isSame = (one: string, other: string): boolean => plain(one) === plain(other)

const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")

const signed = (by: Operator) => ({ by: [by.user], reason: whyOf(by) })
