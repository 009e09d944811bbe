/** What the tests of key exchange share: a switch with a centre, the centre's messages, and what is seen of the keys. */
import {
  type Cipher,
  computeMac,
  cups,
  cupsMacText,
  type Dialect,
  encryptBlocks,
  isSecurityError,
  type Message,
  macAlgorithms,
  unionPayMacText
} from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { KeySettings } from "../../../packages/switch/src/guard/KeySettings.ts"
import type { SecurityModule } from "../../../packages/switch/src/guard/SecurityModule.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { linkOf, makeDisk, startBench } from "./Bench.ts"
import { guardOf, keyOf, softwareModule, testKeys } from "./Guarded.ts"

/** The exchange of CUPS. */
export const reset = cups.keyExchange![0]!

/** The exchange of a link with the centre. */
export const exchangeOf = (wishes: Partial<KeySettings> = {}): KeySettings => ({
  exchange: reset,
  giver: "partner",
  kinds: ["mac", "pin"],
  algorithm: "tdes",
  windowMs: 180_000,
  waitMs: 15_000,
  schedule: { whenNone: true },
  ...wishes
})

/** What a test wants otherwise. */
export interface Wishes {
  readonly keys?: Partial<KeySettings>
  readonly mac?: Parameters<typeof guardOf>[0]
  readonly disk?: ReturnType<typeof makeDisk>
  readonly module?: SecurityModule
  readonly hasKek?: boolean
  readonly dialect?: Dialect
}

const quiet = { intervalMs: 86_400_000, probe: false, proofs: 0 }

/** Who does it. */
export const operator = { user: "night", reason: "a test" }

/** The centre is link 0, with keys; link 1 is somebody else, with keys of its own. */
export const bench = (wishes: Wishes = {}) =>
  Effect.gen(function* () {
    const { disk = makeDisk(), module = softwareModule(), dialect = cups } = wishes
    const links = [
      {
        ...linkOf("centre", 4802, dialect),
        watchdog: quiet,
        guard: guardOf(wishes.mac ?? {}),
        keys: exchangeOf(wishes.keys)
      },
      { ...linkOf("other", 103, dialect), guard: guardOf({}), keys: exchangeOf() }
    ]
    const started = yield* startBench(links, disk, {}, module)
    const { keyOperations, keys } = started.running
    const place = { purpose: "kek", direction: "both", algorithm: "tdes", text: undefined, checkValue: "" } as const
    if (wishes.hasKek !== false && keys.at(0, "kek", "receive") === undefined) {
      for (const link of ["centre", "other"]) {
        const component = { number: 1, of: 1, bytes: keyOf("zmk-a") }
        const imported = Effect.forkChild(keyOperations.import({ ...place, link, component, person: "Li" }, operator))
        yield* imported
        yield* started.commit
      }
    }
    const centre = started.dial(0)
    yield* TestClock.adjust(25)
    yield* started.commit
    centre.heard()
    return { ...started, centre, module }
  })

/** Time passes, and the disk keeps up. */
export const pass = (seconds: number, commit: Effect.Effect<void>) =>
  Effect.repeat(Effect.andThen(TestClock.adjust("5 seconds"), commit), { times: Math.ceil(seconds / 5) })

/** The cipher of a key of the vectors; another one is of DES, single or double. */
export const cipherOf = (key: string | Buffer): Cipher =>
  typeof key === "string" ? testKeys[key]!.cipher : key.length === 8 ? "des" : "tdes"

/** F128 of a key message: X9.9 with a single key, X9.19 with a double one. */
export const macOf = ({ fields, mti }: Message, key: string | Buffer): string => {
  const text = [0, 7, 11, 39, 53, 70, 100].flatMap((de) => {
    const value = de === 0 ? mti : fields[de]
    if (value === undefined) return []
    return [de === 100 ? `${String(value).length}`.padStart(2, "0") + String(value) : String(value)]
  })
  const algorithm = macAlgorithms[cipherOf(key) === "des" ? "ansi-x9.9" : "ansi-x9.19"]
  const mac = computeMac(algorithm, keyOf(key), Buffer.from(cupsMacText(text), "latin1"))
  if (isSecurityError(mac)) throw new Error(mac.rule)
  return unionPayMacText(mac)
}

const controls = { des: "0", tdes: "6", aes: "", sm4: "4" } as const

/** The centre's 0800 with a key. `mac`: the key that its F128 is made with; none: it has none. */
export const delivery = (
  kind: "pin" | "mac",
  key: string | Buffer,
  stan = "000777",
  mac?: string | Buffer,
  kek = "zmk-a"
): Message => {
  const wrapped = encryptBlocks("tdes", keyOf(kek), keyOf(key)) as Buffer
  const cipher = cipherOf(key)
  const isInF96 = kind === "mac" && cipher === "des"
  const message: Message = {
    mti: "0800",
    header: { destination: "00010000", source: "48020000" },
    fields: {
      7: "1126100001",
      11: stan,
      ...(isInF96 ? {} : { 48: Buffer.concat([Buffer.from("NK"), wrapped]).toString("latin1") }),
      53: `${kind === "pin" ? "1" : "2"}${controls[cipher]}${"0".repeat(14)}`,
      70: "101",
      96: isInF96 ? wrapped : Buffer.alloc(8),
      100: "00010000"
    }
  }
  return mac === undefined ? message : { ...message, fields: { ...message.fields, 128: macOf(message, mac) } }
}

/** Whether an answer has a MAC of this key. */
export const isSealed = (answer: Message | undefined, key: string | Buffer): boolean => {
  const { 128: mac, ...fields } = answer!.fields
  return mac === macOf({ ...answer!, fields }, key)
}

/** Codes of answers; questions of ours are none. */
export const codesOf = (messages: ReadonlyArray<Message>) =>
  messages.filter(({ mti }) => mti !== "0820" && mti !== "0800").map(({ fields }) => fields[39])

/** Current and previous keys of a link by their check values. */
export const checkValues = (
  started: { running: { keys: { slots(link: number): ReadonlyArray<unknown> } } },
  link = 0
) =>
  (
    started.running.keys.slots(link) as ReadonlyArray<{
      purpose: string
      current?: { checkValue: string }
      previous?: { checkValue: string }
    }>
  )
    .filter(({ current, purpose }) => purpose !== "kek" && current !== undefined)
    .map(({ current, previous, purpose }) => [purpose, current?.checkValue, previous?.checkValue])

/** What the journal tells of keys. */
export const keyEvents = (store: { entries: ReadonlyArray<{ kind: number; code: string }> }) =>
  store.entries.filter(({ kind }) => kind === EntryKind.key).map(({ code }) => code)
