/**
 * A dialogue: one rule of a link, told as what partners send and expect step by step. Plain values; `DialogueFile` reads them
 * from YAML, `Runner` carries them out. Durations are milliseconds.
 */
import type { TlsMaterial } from "../link/TlsSide.ts"
import type { DialogueKeys } from "./Keys.ts"
import type { WireFormat } from "./WireFormat.ts"

/** Where something is in a file, for reports. Lines count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
}

/** A partner of the system under test. */
export interface Partner {
  readonly name: string
  /** Who makes the TCP connection. */
  readonly side: "connects" | "listens"
  /** Name of the address that it connects to or listens on; a run says which host and port that is. */
  readonly address: string
  /** Answers echo requests by itself, so that the steps need not speak of them. */
  readonly answersEcho: boolean
  /** Certificates and keys; `undefined`: the link is in clear. */
  readonly tls: TlsMaterial | undefined
  /** How messages and frames look on its link. */
  readonly form: WireFormat
}

/** Values by data element number, header part or other place; texts with `{...}` references. */
export interface Values {
  readonly [place: string]: string
}

/** A message to build. Exactly one of `like`, `answerTo` and `again` says where it starts, or none of them. */
export interface Template {
  /** Name of a message of the messages file. */
  readonly like: string | undefined
  /** Name of an earlier message: its answer. */
  readonly answerTo: string | undefined
  /** Name of an earlier message: the same bytes once more. */
  readonly again: string | undefined
  readonly mti: string | undefined
  /** Values by data element. */
  readonly fields: Values
  readonly without: ReadonlyArray<number>
  readonly header: Values
  /** Values of an outer header in front of the message: a reject of the CUPS centre. */
  readonly rejected: Values | undefined
  /** Name of the key by which the finished message gets its MAC, and `zpk 1234` for its PIN block before that. */
  readonly mac: string | undefined
  readonly pin: string | undefined
}

/** What is corrupted in a message that was built well, and how its bytes leave. */
export interface Corruption {
  /** Bytes that are written over a place: a data element, `prefix <n>`, `bitmap`, `mti` or `header.<part>`. */
  readonly damage: Values
  /** Bits set in the bitmap although no such field follows. */
  readonly bitsOn: ReadonlyArray<number>
  /** Hex put behind the last field, inside the frame. */
  readonly append: string
  /** Text that is in the frame's length instead of the right one. */
  readonly length: string | undefined
  /** Only so many bytes of the frame leave. */
  readonly cutAt: number | undefined
  /** Offsets in the frame where it is split into several writes. */
  readonly splitAt: ReadonlyArray<number>
  /** Waiting time between the writes. */
  readonly pauseMs: number
  /** Every byte in a write of its own, with this pause between. */
  readonly slowlyMs: number | undefined
}

/** Bounds on when something comes. */
export interface Timing {
  readonly withinMs: number | undefined
  readonly notBeforeMs: number
  /** Message from which both are counted; without it, from the beginning of the step. */
  readonly since: string | undefined
}

/** What a message has to be like. */
export interface Expectation extends Timing {
  readonly as: string | undefined
  readonly mti: ReadonlyArray<string> | undefined
  /** Allowed values by data element. */
  readonly fields: { readonly [de: string]: ReadonlyArray<string> }
  readonly header: Values
  readonly present: ReadonlyArray<number>
  readonly absent: ReadonlyArray<number>
  /** Values that data elements must not have. */
  readonly differs: Values
  /** Regular expressions that the whole values of data elements have to match. */
  readonly matches: Values
  /** The same bytes as an earlier message, but for the places in `changed`. */
  readonly sameAs: string | undefined
  readonly changed: ReadonlyArray<string>
  /** The answer to an earlier message: its MTI, swapped header, and every data element that both carry, but 38 and 39. */
  readonly answerTo: string | undefined
  /** The outer header of a reject. */
  readonly rejected: Values | undefined
  /** Name of the key whose MAC it has, and `zpk 1234` for its PIN block. */
  readonly mac: string | undefined
  readonly pin: string | undefined
}

/** A message on its way out. */
export interface Sending {
  readonly _tag: "send"
  /** Name by which later steps call it. */
  readonly as: string | undefined
  readonly template: Template
  readonly corruption: Corruption
}

/** What one step does. */
export type Act =
  | { readonly _tag: "connect" }
  | { readonly _tag: "listen" }
  | { readonly _tag: "stopListening" }
  | { readonly _tag: "accept"; readonly withinMs: number | undefined }
  | Sending
  | { readonly _tag: "sendTogether"; readonly messages: ReadonlyArray<Sending> }
  | {
      readonly _tag: "sendBytes"
      readonly bytes: Buffer
      readonly framed: boolean
      readonly corruption: Corruption
    }
  | { readonly _tag: "sendIdle" }
  | { readonly _tag: "expect"; readonly expectation: Expectation }
  | { readonly _tag: "expectNothing"; readonly forMs: number }
  | { readonly _tag: "expectIdle"; readonly timing: Timing }
  | { readonly _tag: "expectClose"; readonly how: "FIN" | "RST" | "any"; readonly timing: Timing }
  | { readonly _tag: "close"; readonly how: "FIN" | "RST" }

/** A partner's step, a pause, or something that an operator of the system under test does. */
export type Step =
  | {
      readonly _tag: "partner"
      readonly partner: string
      readonly act: Act
      readonly place: Place
      readonly text: string
    }
  /** Values that later steps refer to by name. */
  | { readonly _tag: "let"; readonly values: Values; readonly place: Place; readonly text: string }
  | { readonly _tag: "wait"; readonly ms: number; readonly place: Place; readonly text: string }
  | { readonly _tag: "operator"; readonly what: string; readonly place: Place; readonly text: string }

/** How the system under test has to be set up, as written: nested texts. The runner only hands it on. */
export interface SystemSettings {
  readonly [key: string]: string | SystemSettings
}

/** One dialogue, whole: its opening and its messages are read in, its loops are unrolled, and its case is filled in. */
export interface Dialogue {
  readonly file: string
  /** One sentence: what must hold. */
  readonly rule: string
  /** Clause, guarantee or decision that says so. */
  readonly source: string
  /** The case of the file's table, for people: `code 05`; "" where the file has no table. */
  readonly caseText: string
  readonly partners: ReadonlyArray<Partner>
  readonly system: SystemSettings
  /** Messages by name, for `like`. */
  readonly messages: ReadonlyMap<string, Template>
  readonly steps: ReadonlyArray<Step>
  readonly keys: DialogueKeys
}
