/**
 * The whole configuration as one YAML file writes it: the one source of the decoder, the JSON Schema for editors and
 * docs/reference/configuration.md.
 */
import { Schema } from "effect"
import { AdminDocument, TelemetryDocument } from "./door/AdminDocument.ts"
import { AlarmDocument } from "./door/AlarmDocument.ts"
import { DoorDocument } from "./door/DoorDocument.ts"
import { HttpDocument } from "./door/HttpDocument.ts"
import { PostgresDocument } from "./journal/PostgresDocument.ts"
import { GroupDocument } from "./link/GroupDocument.ts"
import { LinkDocument } from "./link/LinkDocument.ts"
import { KeyDocument } from "./security/KeyDocument.ts"
import { SecurityDocument } from "./security/SecurityDocument.ts"
import {
  Bin,
  count,
  Days,
  Duration,
  described,
  Institution,
  MessageType,
  Name,
  option,
  optional,
  Size,
  Words
} from "./text/Terms.ts"

const JournalDocument = Schema.Struct({
  directory: described(Words, "Directory of the journal, on a local disk; made when it is not there. One switch each."),
  key: described(
    KeyDocument,
    "Where to find the 32-byte key with which card data in the journal is sealed. Exactly one of `env` and `file`; make one with `openssl rand -hex 32`."
  ),
  previousKeys: option(Schema.Array(KeyDocument), [], "Keys that older parts of the journal were sealed with."),
  reserve: option(Size, "256 MiB", "Free disk space below which new requests are refused, so that open ones can end."),
  keep: optional(
    Days,
    'How long entries are kept: whole days (UTC) that are older are dropped, such as "90 days". What is open, stored or in doubt stays, and all that came after it. At least one day, so that every repeat within `repeatsWithin` is recognised. When left out: everything is kept.'
  ),
  archive: optional(
    Words,
    "Directory that days go into before they are dropped: a file each, verified and compressed, card data sealed as in the journal. When left out: they are dropped."
  ),
  unwrittenRefuse: option(Size, "16 MiB", "Bytes on their way to disk above which new requests are refused."),
  unwrittenStop: option(Size, "64 MiB", "Bytes on their way to disk above which links are not read any more."),
  postgres: optional(
    PostgresDocument,
    "A PostgreSQL that keeps the journal, for a switch that several nodes can run. When left out: SQLite in `directory`. With it, `directory` has the search index and the anchor of this node."
  )
})

const ControlDocument = Schema.Struct({
  directory: described(
    Words,
    "Directory of `control.sock`, the unix socket that `jinka status`, `trace` and `stop` use."
  )
})

const RouteDocument = Schema.Struct({
  bin: optional(
    Bin,
    "Card numbers that begin with these digits. The longest match wins. Exactly one of `bin`, `institution` and `mti`."
  ),
  institution: optional(Institution, "Receiving institution (DE 100); asked before card numbers are looked at."),
  mti: optional(
    Schema.Array(MessageType),
    "Message types such as `0500`, for what names neither a card nor a receiver; asked last, in the order of the routes. Network management (`0800`, `0820`) passes through the switch only by such a route; without, it ends at its link: sign-on, sign-off and echo are answered there, the rest is refused."
  ),
  from: optional(Name, "With `mti`: only what comes from this link."),
  codes: optional(
    Schema.Array(Words),
    "With `mti` of network management: only messages with one of these codes (DE 70 or DE 24, as the dialect says)."
  ),
  to: described(Name, "Name of the link, or of the group.")
})

/** The schema of the configuration file: every key with its meaning, values and default. */
export const ConfigurationDocument = Schema.Struct({
  name: described(Name, "Name of this switch, in logs and in the status."),
  institution: described(Institution, "Our institution code."),
  journal: described(JournalDocument, "The record to which everything is written first."),
  security: optional(
    SecurityDocument,
    "What holds the keys of partners, for links with `mac`, `pin` or `keys`. When left out: no link has any."
  ),
  control: optional(ControlDocument, "Where the switch takes commands. When left out: the journal's directory."),
  admin: optional(
    AdminDocument,
    "Where operators and monitoring look at the switch over HTTP. When left out: nowhere; the control socket is always there."
  ),
  alarms: option(
    AlarmDocument,
    {},
    "What the switch raises an alarm for: in the log (`ALARM`), and to another system. Always: no room for new requests, trouble with the disk, something in doubt, a partner that speaks for another, a defect."
  ),
  telemetry: optional(TelemetryDocument, "Where the metrics are sent by the switch itself. When left out: nowhere."),
  requestTimeout: option(Duration, "10 seconds", "From taking a request to its end without an answer."),
  drainTimeout: option(Duration, "10 seconds", "How long a stop waits for what is outstanding."),
  coreDumps: option(
    Schema.Boolean,
    false,
    "Whether the system may write this process's memory, with its keys and cards, into a file when it is killed by a fault."
  ),
  repeatsWithin: option(
    Duration,
    "24 hours",
    "How long a repeat of a request, an advice or a reversal is recognised, in memory or in the journal. A message with the same key that comes later is a new one."
  ),
  recentRequests: option(
    count(1000, 10_000_000),
    250_000,
    "Accepted requests that are remembered in memory (64 to 128 bytes each). Each link has an equal share, 2048 at least; only its own newer requests push its older ones out. What memory forgets is looked up in the journal."
  ),
  links: described(
    Schema.NonEmptyArray(LinkDocument).annotate({ expected: "a list of at least one link" }),
    "One entry for each link to a partner."
  ),
  groups: option(Schema.Array(GroupDocument), [], "Links that are used as one destination."),
  doors: option(Schema.Array(DoorDocument), [], "Listening addresses that links share."),
  http: option(
    Schema.Array(HttpDocument),
    [],
    "HTTP listeners: each POST to a link's path is a connection of that link, which is sync-short with the frame until-close."
  ),
  routes: option(Schema.Array(RouteDocument), [], "Where requests go. Without a route every request is refused.")
})
export type ConfigurationDocument = typeof ConfigurationDocument.Type

/** Decodes a document; all errors at once. */
export const decodeDocument = Schema.decodeUnknownResult(ConfigurationDocument, {
  errors: "all",
  onExcessProperty: "error"
})
