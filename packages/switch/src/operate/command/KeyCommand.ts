/**
 * `jinka key ...`: the keys of partners, by their check values: look, ask for new ones, import, retire.
 *
 * A component is read from the terminal without an echo, or from standard input; it is no argument, because arguments are in
 * the list of processes and in the shell's history.
 */
import { type Cipher, keyCiphers, keyKinds } from "@jinka/codec"
import { Console, Effect, Option, Redacted, Schema, Stdio, Stream } from "effect"
import { Command, Flag, Prompt } from "effect/cli"
import { readRecord } from "../../guard/KeyTable.ts"
import { ask as askSwitch } from "../control/ControlCall.ts"
import {
  AskedKeyReport,
  CheckValue,
  COMPONENTS_MAX,
  COMPONENTS_MIN,
  ImportedKeyReport,
  KeysReport,
  Person,
  RetiredKeyReport
} from "../control/KeyReport.ts"
import { Reason } from "../control/Reason.ts"
import { CommandFailed } from "../Exit.ts"
import type { JournalPlace } from "../JournalPlace.ts"
import { asJson, linkOf, socketOf, type Which, whichLink, whichSwitch, withoutFile } from "./Asked.ts"
import { eitherWay } from "./EitherWay.ts"

type Line = KeysReport["keys"][number]

const reasonText =
  "Why, for the journal: up to 120 ASCII characters, without a run of 8 digits (no event holds a card number)"

const reason = Flag.String("reason").pipe(Flag.withDescription(reasonText), Flag.optional)

const kind = Flag.Literals("purpose", keyKinds).pipe(
  Flag.withDescription("Which of the link's keys: mac, pin or data. When left out: all that it exchanges"),
  Flag.optional
)

const purpose = Flag.Literals("purpose", [...keyKinds, "kek"]).pipe(
  Flag.withDescription(
    "What the key is for: mac, pin, data, or kek: the one that the partner's keys come wrapped under"
  )
)

const direction = Flag.Literals("direction", ["both", "send", "receive"]).pipe(
  Flag.withDescription("Whose messages it is for, where the partner has a key for each direction"),
  Flag.withDefault("both" as const)
)

const algorithm = Flag.Literals("algorithm", keyCiphers).pipe(
  Flag.withDescription("The key's cipher: des (8 bytes), tdes (16 or 24), aes (16, 24, 32), sm4 (16)"),
  Flag.withDefault("tdes" as Cipher)
)

/** The slots of a running switch, or, when none runs here, those that its journal has. */
const slotsOf = ({ control, file }: Which) =>
  eitherWay(
    file,
    control,
    (socket) => Effect.map(askSwitch(socket, "GET", "/keys", KeysReport), ({ keys }) => ({ keys, isRunning: true })),
    (place) => Effect.map(ofJournal(place), (keys) => ({ keys, isRunning: false }))
  )

const ofJournal = ({ open }: JournalPlace) =>
  Effect.gen(function* () {
    const { recovered } = yield* open("checked")
    return recovered.keys.map(({ keys, link, slot }): Line => {
      const { current, offered, previous } = readRecord(keys)
      const shown = ({ algorithm, at, checkValue, version }: NonNullable<typeof current>) => ({
        version,
        algorithm,
        checkValue,
        since: at
      })
      return {
        link,
        slot,
        current: current === null ? null : shown(current),
        previous: previous === null ? null : { ...shown(previous), until: previous.until },
        offered: offered === null ? null : shown(offered),
        fitted: { current: 0, previous: 0, none: 0 },
        schedule: ""
      }
    })
  }).pipe(Effect.scoped)

const list = Command.make("list", { ...whichSwitch, json: asJson }, ({ json, ...which }) =>
  Effect.gen(function* () {
    const { isRunning, keys } = yield* slotsOf(which)
    yield* Console.log(json ? JSON.stringify({ keys, running: isRunning }) : listText(keys, isRunning))
  })
).pipe(
  Command.withDescription(
    "Lists the keys of every link by their check values: what is in use, since when, what is still good and until when, what was given and is not yet acknowledged, and how many messages fitted which. When no switch runs, the journal is read. No key is ever shown."
  ),
  Command.withShortDescription("List the keys by their check values"),
  Command.withExamples([
    { command: "jinka key list switch.yaml", description: "Compare the check values with the partner" },
    { command: "jinka key list switch.yaml --json", description: "For a script" }
  ])
)

const ask = Command.make("ask", { ...whichLink, kind, reason, json: asJson }, (flags) =>
  Effect.gen(function* () {
    const { json, kind: one, link: given, reason: why, ...which } = withoutFile(flags)
    const link = yield* linkOf(given)
    const { outcomes } = yield* askSwitch(
      yield* socketOf(which),
      "POST",
      `/keys/${encodeURIComponent(link)}/ask`,
      AskedKeyReport,
      {
        ...(Option.isSome(one) ? { purpose: one.value } : {}),
        ...(Option.isSome(why) ? { reason: why.value } : {})
      }
    )
    yield* Console.log(
      json
        ? JSON.stringify({ link, outcomes })
        : outcomes.map(({ isDone, says }) => `${link}: ${isDone ? "" : "no new key: "}${says}`).join("\n")
    )
    if (outcomes.some(({ isDone }) => !isDone)) {
      return yield* new CommandFailed({ exit: "bad", says: "The key in use stays." })
    }
  })
).pipe(
  Command.withDescription(
    "Asks the partner for new keys now, or gives it new ones where the link's keys are ours to give, and waits until they are in use, or until it is clear that none comes. The previous key is still accepted for the link's `window`."
  ),
  Command.withShortDescription("Ask for new keys, or give them"),
  Command.withExamples([
    { command: "jinka key ask switch.yaml centre", description: "All keys of the link" },
    {
      command: 'jinka key ask switch.yaml centre --purpose mac --reason "MACs are wrong since 14:00"',
      description: "One key, with a reason"
    }
  ])
)

const component = Flag.Int("component").pipe(
  Flag.withDescription("Number of the component that you bring, from 1. Each component is brought by another person"),
  Flag.optional
)
const of = Flag.Int("of").pipe(Flag.withDescription("How many components the key has"), Flag.withDefault(2))
const person = Flag.String("by").pipe(
  Flag.withDescription("Your name, for the journal: the journal has the user that the kernel names, too")
)
const checkValue = Flag.String("check").pipe(
  Flag.withDescription("The check value that the whole key must have, in hexadecimal; another one is refused"),
  Flag.withDefault("")
)
const isOwn = Flag.Boolean("device-text").pipe(
  Flag.withDescription("What you bring is a whole key as the security module itself wrote it, not a component"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

/** What is wrong with a call, before anybody is asked for a component; `undefined`: nothing. */
const wrongImport = (
  isText: boolean,
  number: number | undefined,
  count: number,
  by: string,
  check: string,
  why: string | undefined
): string | undefined => {
  if (isText === (number !== undefined))
    return "Bring a component (--component N --of M), or a key as the device has it (--device-text)."
  if (number !== undefined) {
    if (count < COMPONENTS_MIN || count > COMPONENTS_MAX)
      return `--of is ${COMPONENTS_MIN} to ${COMPONENTS_MAX}: each component comes from another person, and nobody brings a whole key.`
    if (number < 1 || number > count) return `--component is 1 to ${count}, as --of ${count} says.`
  }
  if (!Schema.is(Person)(by)) return "--by is a name of 1 to 60 ASCII characters, without a run of 8 digits."
  if (!Schema.is(CheckValue)(check)) return "--check is the key's check value, 4 to 10 hexadecimal digits, usually 6."
  if (why !== undefined && !Schema.is(Reason)(why))
    return "--reason is 1 to 120 ASCII characters, without a run of 8 digits."
  return undefined
}

const importKey = Command.make(
  "import",
  {
    ...whichLink,
    purpose,
    direction,
    algorithm,
    component,
    of,
    by: person,
    check: checkValue,
    isOwn,
    reason,
    json: asJson
  },
  (flags) =>
    Effect.gen(function* () {
      const { algorithm: cipher, by, check, component: number, direction: side, isOwn: isText, json } = flags
      const { link: given, of: count, purpose: what, reason: why, ...which } = withoutFile(flags)
      const link = yield* linkOf(given)
      const wrong = wrongImport(isText, Option.getOrUndefined(number), count, by, check, Option.getOrUndefined(why))
      if (wrong !== undefined) return yield* new CommandFailed({ exit: "usage", says: `${wrong} Nothing was taken.` })
      const socket = yield* socketOf(which)
      const secret = yield* secretOf(
        isText ? "Key as the device has it: " : `Component ${Option.getOrThrow(number)} in hexadecimal: `
      )
      const brought = Redacted.value(secret).replace(/\s/g, "")
      if (!isText && !/^(?:[0-9A-Fa-f]{2}){8,32}$/.test(brought)) {
        const says = "A component is 8 to 32 bytes in hexadecimal; what came is something else. Nothing was taken."
        return yield* new CommandFailed({ exit: "usage", says })
      }
      if (isText && !/^[!-~]{8,1024}$/.test(brought)) {
        const says =
          "A key as a device has it is 8 to 1024 ASCII characters; what came is something else. Nothing was taken."
        return yield* new CommandFailed({ exit: "usage", says })
      }
      const report = yield* askSwitch(socket, "POST", `/keys/${encodeURIComponent(link)}/import`, ImportedKeyReport, {
        purpose: what,
        direction: side,
        algorithm: cipher,
        ...(isText ? { text: brought } : { component: { number: Option.getOrThrow(number), of: count, hex: brought } }),
        checkValue: check,
        person: by,
        ...(Option.isSome(why) ? { reason: why.value } : {})
      })
      yield* Console.log(json ? JSON.stringify({ link, ...report }) : importedText(report))
    })
).pipe(
  Command.withDescription(
    "Brings a key into a running switch. A key-encryption key comes in components, each brought by another person: the switch shows the check value of each, XORs them when the last one is here, and shows the check value of the key. The component is asked for without an echo, or read from standard input; it is never an argument. Until all components are here they are held in memory for a quarter of an hour. With --device-text a key is brought as a hardware security module wrote it at its own ceremony."
  ),
  Command.withShortDescription("Bring a key, by components or as a device has it"),
  Command.withExamples([
    {
      command: "jinka key import switch.yaml centre --purpose kek --component 1 --of 2 --by Li",
      description: "The first person"
    },
    {
      command: "jinka key import switch.yaml centre --purpose kek --component 2 --of 2 --by Wang --check 37B92E",
      description: "The second, with the check value of the key"
    }
  ])
)

const retire = Command.make(
  "retire",
  {
    ...whichLink,
    purpose,
    direction,
    reason: Flag.String("reason").pipe(Flag.withDescription(reasonText)),
    json: asJson
  },
  (flags) =>
    Effect.gen(function* () {
      const { direction: side, json, link: given, purpose: what, reason: why, ...which } = withoutFile(flags)
      const link = yield* linkOf(given)
      const path = `/keys/${encodeURIComponent(link)}/retire`
      const asked = { purpose: what, direction: side, reason: why }
      const report = yield* askSwitch(yield* socketOf(which), "POST", path, RetiredKeyReport, asked)
      yield* Console.log(json ? JSON.stringify({ link, ...report }) : report.says)
    })
).pipe(
  Command.withDescription(
    "Destroys the keys of a slot, the one in use and the one before: for a key that may be known to others, or a partner that is gone. What needs the key is refused until there is another one."
  ),
  Command.withShortDescription("Destroy the keys of a slot"),
  Command.withExamples([
    {
      command: 'jinka key retire switch.yaml centre --purpose mac --reason "seen in a log of the partner"',
      description: "Then ask for a new one"
    }
  ])
)

/** `jinka key`. */
export const key = Command.make("key").pipe(
  Command.withDescription(
    "Shows, asks for, brings and destroys the keys of a running switch's partners. Keys are told apart by their check values; none is ever shown. Exit codes: 0 done, 1 refused or no key came, 4 no switch answers."
  ),
  Command.withShortDescription("Keys of partners: list, ask, import, retire"),
  Command.withExamples([{ command: "jinka key list switch.yaml", description: "First look" }]),
  Command.withSubcommands([list, ask, importKey, retire])
)

/** A line that is not echoed: from the terminal when there is one, otherwise standard input as it is. */
const secretOf = (message: string) =>
  Effect.gen(function* () {
    const { stdin, stdinIsTerminal } = yield* Stdio.Stdio
    if (yield* stdinIsTerminal) {
      return yield* Effect.mapError(
        Prompt.run(Prompt.Hidden({ message })),
        () => new CommandFailed({ exit: "usage", says: "Nothing was brought." })
      )
    }
    const text = yield* Stream.mkString(Stream.decodeText(stdin)).pipe(
      Effect.mapError(() => new CommandFailed({ exit: "usage", says: "Standard input cannot be read." }))
    )
    return Redacted.make(text)
  })

const importedText = ({ checkValue: value, isWhole, says }: typeof ImportedKeyReport.Type): string =>
  isWhole ? says : `check value of the component: ${value}\n${says}`

const time = (at: number): string => new Date(at).toISOString().replace("T", " ").slice(0, 19)

const keyText = (one: Line["current"]): string =>
  one === null ? "none" : `${one.version}  ${one.algorithm}  check value ${one.checkValue}  since ${time(one.since)}`

const lineText = ({ current, fitted, link, offered, previous, schedule, slot }: Line): string =>
  [
    `${link}  ${slot}  ${keyText(current)}`,
    ...(previous === null ? [] : [`  still good: ${keyText(previous)}, until ${time(previous.until)}`]),
    ...(offered === null ? [] : [`  given, not yet acknowledged: ${keyText(offered)}`]),
    ...(fitted.current + fitted.previous + fitted.none === 0
      ? []
      : [`  messages: ${fitted.current} fitted it, ${fitted.previous} the one before, ${fitted.none} none`]),
    ...(schedule === "" ? [] : [`  exchanged: ${schedule}`])
  ].join("\n")

const listText = (keys: ReadonlyArray<Line>, isRunning: boolean): string =>
  [
    ...(isRunning ? [] : ["No switch runs; the journal says:"]),
    ...(keys.length === 0 ? ["no keys"] : keys.map(lineText))
  ].join("\n")
