/**
 * docs/reference/errors.md: every stable name that the switch uses for trouble, what it means, and what the switch then does.
 * The tables come from the types themselves, so a new name cannot be forgotten here. Pure.
 */
import {
  explain,
  explainFrame,
  type FrameError,
  type FrameRule,
  type MessageError,
  type RefusalCodes,
  type Rule
} from "@jinka/codec"
import type { LinksMissing } from "../../exchange/LinksMissing.ts"
import type { KeysElsewhere } from "../../guard/KeysElsewhere.ts"
import { moduleAdvice } from "../../guard/ModuleError.ts"
import { journalReasonTags, makeReason } from "../../journal/JournalReason.ts"
import type { Refusal } from "../../link/door/Admission.ts"
import type { FirstMessageWrong } from "../../link/door/FirstMessage.ts"
import { advice, type LinkEnded } from "../../link/LinkEnded.ts"
import type { CredentialsWrong } from "../../transport/Credentials.ts"
import { shippedDialects } from "../configuration/Shipped.ts"
import { type Exit, exitCodes, exitMeanings } from "../Exit.ts"
import { tlsReasons } from "../TlsWords.ts"
import { cell, page, table } from "./Markdown.ts"

/** The text of docs/reference/errors.md. */
export const errorsPage = (): string =>
  page("Errors", [
    "Names on this page are stable: scripts and alarms may rely on them. No error, log line or journal event has a card number, a track, a PIN block or any other field's value: they name place and rule.",
    "## Exit codes of `jinka`",
    table(
      ["Code", "Name", "Meaning"],
      (Object.keys(exitCodes) as ReadonlyArray<Exit>).map((exit) => [
        String(exitCodes[exit]),
        exit,
        cell(exitMeanings[exit])
      ])
    ),
    "## Configuration",
    "`FILE:LINE:COLUMN error PATH: rule; found what. What to write.` All errors of a file are shown at once. See [configuration](configuration.md).",
    "## Ends of connections",
    'Shown by `jinka status`, logged, and written into the journal as an event of the link. A link never gives up: it connects or listens again. What was sent on the connection and not answered has an unknown outcome from that moment: it ends as timed out (`connection lost`), money is reversed, and the origin is told "no answer". Requests for the link are refused while it is down; advices and reversals wait in store-and-forward.',
    table(
      ["Reason", "What to look at", "What the switch does"],
      (Object.keys(advice) as ReadonlyArray<LinkEnded["reason"]>).map((reason) => [
        reason,
        cell(advice[reason]),
        endings[reason]
      ])
    ),
    "## Connections that never become a link's",
    "They are closed at once with a reset and counted by reason. The log has the first of each kind, then a count every 10 seconds.",
    table(["Reason", "Why"], Object.entries(turnedAway)),
    "## TLS",
    "The handshake failed. Where we listen, the reason is noted like those above; where we connect, it is in the text of `ConnectFailed`.",
    table(["Reason", "What to look at"], Object.entries(tlsReasons)),
    "## Frames",
    "Bytes that are no frame end the connection with the reason `FrameError`: nobody knows where the next frame begins, and guessing could pair an answer with the wrong request. The link comes back on a new connection.",
    table(["Name", "Rule", "Meaning"], frameRows()),
    "## Messages",
    "A good frame with a message that cannot be read leaves the link up. It is noted in the journal without its bytes, which may hold a track, and logged with place and rule. A request whose key (STAN, time, institutions) can be read is answered with the network's code for a format error; any other is dropped, and the partner's own timeout ends it. An answer that cannot be read is dropped; its request goes on waiting and is reversed at its deadline.",
    table(["Name", "Meaning"], messageRows()),
    "The rule of `FieldInvalid`, `HeaderInvalid`, `MtiInvalid` and `BitmapInvalid` is one of:",
    table(["Rule", "Meaning"], ruleRows()),
    "## Refusals",
    "A request that the switch does not forward is answered at once with the code of the partner's dialect, after the refusal is in the journal (below the disk's reserve it is only counted). Except for `noAnswer`, nothing has to be reversed: no byte has left.",
    refusals(),
    "## Requests without an answer",
    "A request that was sent and not answered ends as timed out; the reason is in the journal entry's `code`: `timeout`, `connection lost`, `restarted` (the switch stopped while it was open), or `answer not translated` (it came and could not be written in the dialect of the origin). It is never sent again. If the dialect can reverse it, its reversal is written in the same journal transaction, and sent until it is acknowledged. An answer that comes after that is `late`: kept, counted, never delivered.",
    "## Security module",
    "What the software module or a device returns instead of a result: in the log, in `jinka status` and in the output of `jinka key`. A request under such a key is refused (`macFailed`, `pinFailed`, `keyFailed`); when no device takes calls, links with keys take none.",
    table(["Reason", "What to do"], Object.entries(moduleAdvice)),
    "## A start that is refused",
    "Besides an error in the configuration (exit code 2), an address in use (4) and a journal that does not open (3, below):",
    table(
      ["Reason", "Exit code", "Why"],
      Object.entries(refusedStarts).map(([reason, [exit, why]]) => [reason, String(exitCodes[exit]), why])
    ),
    "## Journal",
    "With each of these the switch does not start (exit code 3; `Overtaken` 6, `StoreAway` 7). While it runs they stop it at once: no answer, acknowledgement or request leaves after the journal has failed (guarantee G9), and the next start recovers from what is on disk.",
    table(
      ["Reason", "What to do"],
      journalReasonTags.map((tag) => [tag, cell(makeReason(tag, "", "").remedy)])
    ),
    "Free space below `journal.reserve` is no error: new requests are refused (malfunction), open ones still end. Refusals and unmatched messages are then counted instead of journalled, and the journal gets the counts once a second.",
    "A journal in PostgreSQL that does not answer is no error for `journal.postgres.yieldAfter`: links stay up, new requests are refused at once (malfunction) and written when it is back, open ones end by their deadlines."
  ])

const reconnects = "Connects again after the pause of `reconnect`, or waits for the partner."
const cuts = `Cuts the connection. ${reconnects}`

const endings: Readonly<Record<LinkEnded["reason"], string>> = {
  ConnectFailed: "Tries again after a random pause that doubles up to `reconnect.max`.",
  PeerClosed: reconnects,
  PeerReset: reconnects,
  PeerSilent: cuts,
  EchoUnanswered: cuts,
  FrameError: cuts,
  FrameTimeout: cuts,
  SlowPeer: `Cuts the connection; what was unsent never leaves on another connection. ${reconnects}`,
  WrongLeg: `Cuts both legs. ${reconnects}`,
  HalfOpen:
    "Closes the leg and tries both again: at once where the partner makes the connection, otherwise after the pause.",
  SignOnRefused: cuts,
  SignOnTimeout: cuts,
  Done: "Nothing: this is how a short connection ends.",
  AnswerOverdue: "Closes the connection; its request ends as timed out and money is reversed.",
  IdleTimeout: "Closes the connection.",
  Replaced: "Goes on with the second connection.",
  GroupFell: cuts,
  Operator: `Comes back by itself after \`jinka link cut\`; after \`jinka link drain\` only with \`jinka link unblock\`.`,
  Reloaded: "Goes on with its new settings, or not at all when it was removed.",
  Stopping: "Ends.",
  Defect: cuts
}

const turnedAway: Readonly<
  Record<
    Refusal | FirstMessageWrong["reason"] | "HandlesFull" | "IdentityUnknown" | "PathUnknown" | "BodyRefused",
    string
  >
> = {
  PeerNotAllowed: "Its address is not on the list (`from`). Nothing of it was read.",
  DoorFull:
    "The door has reached its limit of connections (`limits.connections`), or of those that belong to no link yet (`limits.pending`).",
  HandlesFull:
    "The process has reached its limit of open files (`ulimit -n`, LimitNOFILE of the service), except those that it reserves for itself.",
  SourceFull: "Its address has reached its limit of connections (`limits.perSource`).",
  SourceTooFast: "Its address opens more connections in a second than it may (`limits.newPerSecond`).",
  FirstMessageMissing: "No whole message came within `firstMessage`, or the connection ended before.",
  FirstMessageUnreadable: "Its first bytes are no frame, or the frame holds no message of the door's dialect.",
  PathUnknown: "A call to an HTTP door with a path that no link has (404).",
  BodyRefused: "A call to an HTTP door whose body is no message (400, 413, 415).",
  IdentityUnknown:
    "What tells partners apart at the door leads to none of the links, or `from` or `certificate` of that link do not fit."
}

const refusedStarts: Readonly<
  Record<(CredentialsWrong | KeysElsewhere | LinksMissing)["_tag"], readonly [exit: Exit, why: string]>
> = {
  CredentialsWrong: [
    "usage",
    "A key, certificate or list of TLS cannot be read or does not fit; path and problem are named."
  ],
  KeysElsewhere: [
    "usage",
    "The journal holds keys that another kind of security module wrote. Take them out of use with that module, then change it."
  ],
  LinksMissing: [
    "journal",
    "The journal holds open exchanges of links that the configuration does not have by this name and dialect. Put the links back until these are ended."
  ]
}

const frameRules: Readonly<Record<FrameRule, FrameError["_tag"]>> = {
  "length-digits": "LengthInvalid",
  "length-small": "LengthInvalid",
  "length-max": "FrameTooLong",
  before: "LengthInvalid",
  trailer: "LengthInvalid",
  end: "FrameTruncated"
}

const frameRows = (): ReadonlyArray<ReadonlyArray<string>> =>
  (Object.keys(frameRules) as ReadonlyArray<FrameRule>).map((rule) => {
    const says = explainFrame({ _tag: frameRules[rule], offset: 0, rule, first: "" })
    return [frameRules[rule], `\`${rule}\``, cell(says.slice(says.indexOf(": ") + 2))]
  })

const messages: { readonly [Tag in MessageError["_tag"]]: Extract<MessageError, { readonly _tag: Tag }> } = {
  MtiInvalid: { _tag: "MtiInvalid", offset: 46, rule: "digits" },
  BitmapInvalid: { _tag: "BitmapInvalid", offset: 50, rule: "hex" },
  FieldInvalid: { _tag: "FieldInvalid", de: 4, offset: 90, rule: "digits" },
  FieldUnknown: { _tag: "FieldUnknown", de: 127, offset: 300 },
  TrailingBytes: { _tag: "TrailingBytes", offset: 226, bytes: 3 },
  TooShort: { _tag: "TooShort", offset: 40 },
  HeaderInvalid: { _tag: "HeaderInvalid", part: "headerLength", offset: 0, rule: "value" }
}

const messageRows = (): ReadonlyArray<ReadonlyArray<string>> =>
  Object.values(messages).map((error) => [error._tag, cell(`For example: ${explain(error)}.`)])

const rules: Readonly<Record<Rule, true>> = {
  short: true,
  "length-digits": true,
  length: true,
  digits: true,
  letters: true,
  "letters-digits": true,
  text: true,
  track: true,
  sign: true,
  fill: true,
  hex: true,
  type: true,
  value: true,
  parts: true,
  "total-length": true
}

const ruleRows = (): ReadonlyArray<ReadonlyArray<string>> =>
  (Object.keys(rules) as ReadonlyArray<Rule>).map((rule) => {
    const says = explain({ _tag: "MtiInvalid", offset: 0, rule })
    return [`\`${rule}\``, cell(says.slice(says.indexOf(": ") + 2))]
  })

const refusalReasons: Readonly<Record<keyof RefusalCodes, string>> = {
  formatError: "The message cannot be read, or cannot be said in the next partner's dialect.",
  issuerDown:
    "The link that it should go to is not ready, or the link that it came from is being drained or is blocked.",
  noRoute: "No route fits its receiving institution or card number.",
  duplicate: "The same key is outstanding, or was used before and had no answer worth repeating.",
  malfunction: "The link's window is full, the journal lags behind, or its disk is below the reserve.",
  noAnswer: "The answer did not come in time, or the connection ended before it. The request has been sent: see below.",
  notSignedOn: "A sign-on that the link asks for is missing, the partner's or ours.",
  macFailed:
    "The message authentication code is wrong, or missing where the link's `mac.receive` is `required`. Its key is not remembered: the same message with a right one is taken.",
  pinFailed:
    "The PIN block could not be translated from the partner's zone into the target's: wrong key, format or card number, or a pair of formats that is not allowed. Nothing was sent.",
  keyFailed: "A key that the message needs is not there, or the security module cannot use it. Nothing was sent.",
  identity:
    "The message names an institution as source, acquirer, forwarder or original's that this link does not speak for (`speaksFor`), or a transaction of another partner. Its key is not remembered.",
  cutOver:
    "A cut-over of the settlement date (start or end) on a link that refuses them (`businessDay.cutOver: refuse`). The business day stays; requests go on."
}

/** A column for each set of codes, named by the dialects that have it. */
const refusals = (): string => {
  const columns = new Map<string, { readonly names: Array<string>; readonly codes: RefusalCodes }>()
  for (const { dialect } of Object.values(shippedDialects)) {
    const same = JSON.stringify(Object.entries(dialect.refusal).sort())
    const column = columns.get(same) ?? { names: [], codes: dialect.refusal }
    column.names.push(dialect.name)
    columns.set(same, column)
  }
  const shown = [...columns.values()]
  return table(
    ["Reason", "When", ...shown.map(({ names }) => names.join(", "))],
    (Object.keys(refusalReasons) as ReadonlyArray<keyof RefusalCodes>).map((reason) => [
      reason,
      refusalReasons[reason],
      ...shown.map(({ codes }) => codes[reason])
    ])
  )
}
