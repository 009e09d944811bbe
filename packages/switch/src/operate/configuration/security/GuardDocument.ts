/** MACs and PIN blocks of one link as the configuration writes them, with defaults and explanations. */
import { macAlgorithms, pinFormats } from "@jinka/codec"
import { Schema } from "effect"
import { count, described, MessageType, option, optional, Truth } from "../text/Terms.ts"

/** The algorithms by name. */
export const macAlgorithmNames = Object.keys(macAlgorithms) as ReadonlyArray<keyof typeof macAlgorithms>

const MacField = Schema.Union([count(2, 128), Schema.Literal("last")]).annotate({
  expected: "a data element from 2 to 128, or last"
})

/** `links[].mac`. */
export const MacDocument = Schema.Struct({
  receive: option(
    Schema.Literals(["required", "ifPresent", "none"]),
    "required",
    "How the partner's messages are checked. `required`: a message without a MAC is refused like one with a wrong one. `ifPresent`: only a MAC that is there is looked at. `none`: none is."
  ),
  send: option(
    Schema.Literals(["always", "none"]),
    "always",
    "Whether our messages to the partner get a MAC. `none`: they leave without one, also without the one that another partner made."
  ),
  algorithm: described(
    Schema.Literals(macAlgorithmNames as [keyof typeof macAlgorithms, ...Array<keyof typeof macAlgorithms>]),
    "How the MAC is made. `ansi-x9.9` takes a DES key, `ansi-x9.19` and the TDES ones a double-length one."
  ),
  padding: optional(
    Schema.Literals([1, 2, 3]),
    "Padding of ISO 9797-1: 1 zeros, 2 a one bit and zeros, 3 the length in front. When left out: the algorithm's usual one."
  ),
  field: optional(
    MacField,
    "Data element of the MAC; `last`: DE 64 in a message with one bitmap, otherwise DE 128. When left out: as the dialect says (`security.mac`)."
  ),
  messages: optional(
    Schema.NonEmptyArray(MessageType).annotate({ expected: "a list of message types" }),
    "Types of messages that carry a MAC; their repeats and answers do, too. When left out: as the dialect says."
  ),
  text: optional(
    Schema.Literals(["message", "fields", "cups"]),
    "What the MAC covers: everything from the message type to the MAC field, the data elements of `fields` as they are, or those cleaned and joined as CUPS does. When left out: as the dialect says."
  ),
  fields: optional(
    Schema.NonEmptyArray(count(0, 192)).annotate({ expected: "a list of data elements, 0 for the message type" }),
    "Data elements that are covered, in order, for `fields` and `cups`; 0 is the message type. When left out: as the dialect says."
  ),
  zeroed: option(
    Truth,
    false,
    "The MAC field itself is covered as zeros, and all that follows it. Only of the text `message`."
  ),
  hexText: option(
    Truth,
    false,
    "The covered bytes are turned into upper-case hexadecimal characters before the MAC is made."
  ),
  form: optional(
    Schema.Literals(["binary", "hex"]),
    "How the MAC is written in its field: its bytes, or those as upper-case hexadecimal characters. When left out: as the dialect says."
  ),
  bytes: optional(
    count(4, 16),
    "Bytes of the MAC that are sent, from its left; the rest of a longer field is zeros. When left out: as the dialect says."
  )
})

/** `links[].pin`. */
export const PinDocument = Schema.Struct({
  format: described(
    Schema.Literals(pinFormats),
    "Format of the PIN blocks that leave, and of those that come and do not say another (CUPS says it in DE 53): ISO 9564 formats 0, 1, 3 and 4, and UnionPay's without a card number."
  ),
  keys: option(
    Schema.Literals(["zone", "terminal"]),
    "zone",
    "Whose PIN keys the partner has. `zone`: an institution's (ZPK). `terminal`: those of a terminal, or of a line of terminals that share one (TPK): devices translate from them to a zone, and not to them."
  ),
  field: optional(count(2, 128), "Data element of the PIN block. When left out: as the dialect says (`security.pin`)."),
  mayDropPan: option(
    Truth,
    false,
    "A block that contains the card number may be translated into one without it. ISO 9564 and PCI PIN do not allow it; some networks ask for it."
  )
})

/** `links[].macFailures`. */
export const MacFailuresDocument = Schema.Struct({
  after: option(
    count(1, 1000),
    3,
    "Wrong MACs of the partner in a row, or answers in which it says that ours are wrong, after which something is done."
  ),
  act: option(
    Schema.Literals(["alarm", "ask", "signOff", "nothing"]),
    "alarm",
    "`alarm`: an alarm is raised. `ask`: a new key is asked for, too. `signOff`: we sign off, too, and stay signed off. `nothing`: they are only counted."
  )
})

/** What they mean. */
export const macMeaning =
  "MACs between us and this partner, with keys of its own. When left out: MAC fields pass as they come and nobody looks at them."
/** The same of PIN blocks. */
export const pinMeaning =
  "PIN blocks of this partner, under a key of its own: they are translated on their way to a partner that has `pin`, too, and refused on their way to any other. When left out: they pass as they come."
