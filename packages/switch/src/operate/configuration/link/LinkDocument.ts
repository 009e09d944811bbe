/**
 * One link as the configuration writes it, with defaults and explanations. What must hold between keys is in `Relations`.
 */
import { Schema } from "effect"
import { modes } from "../../../link/Settings.ts"
import { challengeMeaning, DoorPlaceDocument, listenKeys, Second, secondMeaning } from "../door/DoorDocument.ts"
import { dialectNames, frameNames } from "../Shipped.ts"
import { MacDocument, MacFailuresDocument, macMeaning, PinDocument, pinMeaning } from "../security/GuardDocument.ts"
import { KeysDocument, keysMeaning } from "../security/SecurityDocument.ts"
import {
  AddressOrNetwork,
  count,
  Duration,
  DurationOrNever,
  described,
  Host,
  Institution,
  Name,
  option,
  optional,
  Size,
  TimeZone,
  Truth,
  text
} from "../text/Terms.ts"
import { FrameDocument } from "./FrameDocument.ts"
import { legsDocument } from "./LegsDocument.ts"
import { ShortDocument } from "./ShortDocument.ts"
import { KeepAliveDocument, keepAliveMeaning, TlsDocument, tlsMeaning } from "./TlsDocument.ts"

const DialectName = Schema.Union([
  Schema.Literals(dialectNames),
  text(/\.ya?ml$/, "a dialect file such as ./ours.yaml")
]).annotate({ expected: `${dialectNames.join(", ")} or a dialect file such as ./ours.yaml` })

const ListenDocument = Schema.Struct({
  ...listenKeys,
  from: option(
    Schema.Array(AddressOrNetwork),
    [],
    "Addresses and networks that may connect, looked at before TLS; empty: every address. Without TLS it is the only check of who the partner is before sign-on."
  ),
  second: optional(Second, secondMeaning),
  challenge: option(Duration, "5 seconds", challengeMeaning)
})

const ConnectDocument = Schema.Struct({
  host: described(Host, "The partner's host name or address."),
  port: described(count(1, 65_535), "The partner's port."),
  timeout: option(Duration, "10 seconds", "How long one attempt to connect may take, its TLS handshake included."),
  tls: optional(TlsDocument, tlsMeaning),
  keepAlive: optional(KeepAliveDocument, keepAliveMeaning)
})

const SignOnDocument = Schema.Struct({
  send: option(Truth, false, "We sign on after connecting, and use the link only when that was answered with success."),
  expect: option(Truth, false, "The partner has to sign on before its requests are taken and ours are sent."),
  timeout: option(Duration, "10 seconds", "Waiting time for the answer to our sign-on, or for the partner's."),
  required: option(
    Truth,
    true,
    "Whether the link is used only when our sign-on was accepted. Otherwise it is used at once, and a sign-on that fails is noted."
  ),
  attempts: option(
    count(1, 100),
    3,
    "Sign-ons of ours on one connection, when there is no answer or one that asks to try again (90, 91, 96 ...). Then the connection is closed."
  ),
  retry: option(Duration, "5 seconds", "Pause between two of them.")
})

const WatchdogDocument = Schema.Struct({
  interval: option(
    Duration,
    "30 seconds",
    "Silence after which the partner is asked by an echo. After two intervals of silence the link takes no new requests, after three it is closed (RFC 3539)."
  ),
  probe: optional(
    Truth,
    "Whether an echo is sent after silence. Without echoes, only what the partner sends by itself counts. When left out: true if the dialect has one."
  ),
  proofs: option(count(0, 10), 3, "Echoes that the partner must answer on a reopened connection before it is used."),
  unanswered: option(
    count(0, 10_000),
    5,
    "Requests in a row without an answer after which an echo is sent, even while other bytes such as idle frames come. If nothing answers it the link takes no new requests after one `interval`, and is closed after two. 0: never."
  )
})

const ReconnectDocument = Schema.Struct({
  min: option(
    Duration,
    "100 millis",
    "First pause before connecting again; it doubles with each attempt, and is varied at random."
  ),
  max: option(Duration, "30 seconds", "Longest pause. A link never gives up.")
})

const StoreAndForwardDocument = Schema.Struct({
  timeout: option(Duration, "10 seconds", "How long an advice or a reversal waits for its answer."),
  retry: option(Duration, "60 seconds", "Pause after an attempt without a final answer."),
  attempts: option(count(1, 10_000), 5, "Attempts before the message is abandoned and left for a person."),
  window: option(count(1, 1024), 16, "Messages under way at once.")
})

const BusinessDayDocument = Schema.Struct({
  cutOver: option(
    Schema.Literals(["accept", "refuse"]),
    "accept",
    "What is done with the partner's cut-over messages. `accept`: the day moves, in the journal first. `refuse`: they are answered with the network's code for it (90), and the day stays until an answer has a later settlement date."
  ),
  stan: option(
    Schema.Literals(["goes-on", "begins-anew"]),
    "goes-on",
    "`begins-anew`: the partner's STANs start again with each business day, and its keys have no date: a request is then never taken for a repeat of one of another day. The price: a repeat of a request from before the cut-over is taken for a new one."
  ),
  reconcile: option(
    Schema.Literals(["pass", "answer"]),
    "pass",
    "What is done with the partner's messages about totals (0500, 0520). `pass`: they go where a route by type says, as any message. `answer`: the switch compares them with the totals of its own journal, says in its answer whether they are in balance, and raises an alarm when they are not."
  )
})

/** One `links:` entry. */
export const LinkDocument = Schema.Struct({
  name: described(Name, "Name in logs, in the journal, in routes and on the command line."),
  formerly: option(
    Schema.Array(Name),
    [],
    "Names that the link had before, with the same dialect. What a start finds in the journal under one of them is this link's: open requests, reversals and advices that wait, what repeats are answered from. Leave it there for `repeatsWithin` behind the restart that renames the link."
  ),
  institution: described(Institution, "The partner's institution code, as in headers and in DE 32, 33 and 100."),
  speaksFor: option(
    Schema.Union([Schema.Array(Institution), Schema.Literal("any")]).annotate({
      expected: "a list of institution codes, or any"
    }),
    [],
    "Other institutions that the partner may name as the source in the header, as acquirer (DE 32) or forwarder (DE 33), and as those of the original in DE 90: its branches, its members. `any`: a centre, whose messages name institutions that cannot be listed; the header's source must still be its own."
  ),
  identity: option(
    Schema.Literals(["checked", "unchecked"]),
    "checked",
    "Whether every message of the partner is checked against `institution` and `speaksFor`, and refused when it names somebody else or another partner's transaction. `unchecked`: the partner may pretend to be any other, and reverse the transactions of others; `jinka check` says so."
  ),
  ourInstitution: optional(Institution, "Our own code on this link, where it is not the switch's `institution`."),
  mode: option(
    Schema.Literals(modes),
    "async-duplex",
    "How connections are used. `async-duplex`: one long connection, both sides send at any time. `async-simplex`: two, one only sends and one only receives (`legs`). `sync-long`: one long connection, one request at a time. `sync-short`: a connection for each request and its answer. `async-short`: a connection for each message."
  ),
  dialect: described(
    DialectName,
    "The partner's message format: a shipped dialect by its name, or the path of a dialect file of your own."
  ),
  frame: optional(
    Schema.Union([Schema.Literals(frameNames), FrameDocument]),
    "The length header: a shipped one by name, or written out. When left out: the dialect's usual one."
  ),
  connect: optional(
    ConnectDocument,
    "We connect to the partner. Exactly one of `connect`, `listen` and `door`; async-short has `connect` and one of the others."
  ),
  listen: optional(ListenDocument, "The partner connects to us, at an address of the link's own."),
  door: optional(DoorPlaceDocument, "The partner connects to us, at an address that links share (`doors`)."),
  legs: optional(
    legsDocument(ConnectDocument, ListenDocument),
    "The two connections of an `async-simplex` link, in place of `connect` and `listen`. The link is up when both are; either's end ends both."
  ),
  short: option(ShortDocument, {}, "Limits of the connections of sync-short and async-short."),
  signOn: option(SignOnDocument, {}, "Sign-on (0800 or 0820 by dialect)."),
  idle: optional(
    DurationOrNever,
    "An idle frame goes out when nothing was written for this long. When left out: 30 seconds if the frame has idle frames, otherwise never."
  ),
  watchdog: option(WatchdogDocument, {}, "How silence is noticed."),
  mac: optional(MacDocument, macMeaning),
  pin: optional(PinDocument, pinMeaning),
  macFailures: option(
    MacFailuresDocument,
    {},
    "What is done when MACs of the partner, or ours for it, are wrong in a row."
  ),
  keys: optional(KeysDocument, keysMeaning),
  businessDay: option(
    BusinessDayDocument,
    {},
    "The partner's business day, as its cut-over messages and the settlement dates of its answers say it. Totals are by this day."
  ),
  reconnect: option(ReconnectDocument, {}, "Pauses between attempts to connect."),
  window: option(count(1, 65_536), 2048, "Requests outstanding on this link at once; more are refused."),
  rateLimit: optional(
    count(1, 1_000_000),
    "Requests, advices and reversals a second that the partner may send, with as many at once. More are refused at once (96 or the dialect's code for it), neither journalled nor remembered, and noted every ten seconds. When left out: no limit."
  ),
  wait: option(
    DurationOrNever,
    "never",
    "How long a request above `window` may wait for its turn; its deadline runs meanwhile. `never`: it is refused at once."
  ),
  waiting: option(count(1, 65_536), 256, "Requests that may wait at once, where `wait` lets them; more are refused."),
  stan: option(
    Schema.Literals(["callers", "own"]),
    "callers",
    "`own`: requests get a STAN (DE 11) of ours on this link, and answers their caller's back. Needed where callers share the link whose STANs may be equal."
  ),
  callers: option(
    Schema.Array(Schema.Literals([41, 42])),
    [],
    "Data elements (41 terminal, 42 merchant) that tell the callers of this link apart, where many terminals with their own STANs share one link. Without them, a message with the same key is a repeat of the other."
  ),
  frameTimeout: option(Duration, "5 seconds", "From the first byte of a frame to its last."),
  unsent: option(Size, "4 MiB", "Bytes that a partner may leave unread before its connection is cut."),
  writeTimeout: option(Duration, "10 seconds", "How long a write may make no progress before the connection is cut."),
  timeZone: optional(
    TimeZone,
    "Offset from UTC of DE 7, 12 and 13 in messages that we make. When left out: the dialect's usual one."
  ),
  partnerTimeout: optional(
    Duration,
    "How long the partner itself waits for the system behind it. `requestTimeout` must be longer, or its answer comes too late."
  ),
  answerWithin: optional(
    Duration,
    "How long the partner waits for our answers. `requestTimeout` must be shorter, or our answer comes too late."
  ),
  partnerIdleTimeout: optional(
    Duration,
    "Silence after which the partner closes. The smaller of both sides' idle timeouts wins: `idle` must be shorter."
  ),
  storeAndForward: option(StoreAndForwardDocument, {}, "Advices and reversals: sent until they are acknowledged.")
})
export type LinkDocument = typeof LinkDocument.Type
