/** The security module, and the exchange of one link's keys, as the configuration writes them. */
import { keyCiphers, keyKinds } from "@jinka/codec"
import { Schema } from "effect"
import { count, Duration, described, option, optional, Truth, text, Words } from "../text/Terms.ts"
import { HsmDocument } from "./HsmDocument.ts"
import { KeyDocument } from "./KeyDocument.ts"

const SoftwareDocument = Schema.Struct({
  storageKey: described(
    KeyDocument,
    "Where to find the key under which partners' keys are stored (an AES key of 32 bytes, as 64 hex digits). Exactly one of `env` and `file`; another one than the journal's."
  ),
  previousStorageKeys: option(
    Schema.Array(KeyDocument),
    [],
    "Keys that partners' keys were stored under before. At the start whatever is under one of them is stored under `storageKey`; then it can be taken out."
  ),
  allowTestKeys: option(
    Truth,
    false,
    "Takes weak keys and keys that are in public documents; otherwise they are refused. For tests and certification."
  )
})

/** `security`. */
export const SecurityDocument = Schema.Struct({
  hsm: optional(
    HsmDocument,
    "Keys are in hardware security modules in the network: clear keys and clear PINs are in the devices only. Exactly one of `hsm` and `software`."
  ),
  software: optional(
    SoftwareDocument,
    "Keys are used in this process. For tests and certification: PINs are in clear here while they are translated, which PCI PIN does not allow in production."
  )
})
/** See the schema. */
export type SecurityDocument = typeof SecurityDocument.Type

const TimeOfDay = text(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as "02:30"')

/** `links[].keys`. */
export const KeysDocument = Schema.Struct({
  exchange: optional(Words, "Name of the exchange in the dialect (`keyExchange`). When left out: its first one."),
  giver: option(
    Schema.Literals(["partner", "us"]),
    "partner",
    "Who gives the keys: the partner, as a centre does for its members, or we."
  ),
  kinds: optional(
    Schema.NonEmptyArray(Schema.Literals(keyKinds)).annotate({ expected: "a list of mac, pin and data" }),
    "Kinds of keys that are exchanged. When left out: `mac` and `pin`, as the link has them."
  ),
  algorithm: option(
    Schema.Literals(keyCiphers),
    "tdes",
    "The cipher of the keys that we ask for or give; `des` is single length."
  ),
  first: option(
    Schema.Literals(["ask", "wait"]),
    "ask",
    "While there is no key: `ask` asks for one (or gives one) once the link is signed on, `wait` waits for the partner or for a person."
  ),
  window: optional(Duration, "How long the previous key is still accepted. When left out: as the dialect says."),
  wait: optional(Duration, "How long a key that was asked for may take. When left out: as the dialect says."),
  every: optional(Duration, "A new key is asked for (or given) when the one in use is as old as this."),
  at: optional(TimeOfDay, "The same every day at this time, in the link's time zone."),
  messages: optional(count(1, 1_000_000_000), "The same after so many messages under one key, both ways.")
})
/** See the schema. */
export type KeysDocument = typeof KeysDocument.Type

/** What it means. */
export const keysMeaning =
  "The exchange of working keys with this partner, under a key-encryption key that two persons import (`jinka key import`). When left out: working keys are imported by hand, and a partner's key messages are refused."
