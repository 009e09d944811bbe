/** What a load file says of one link. */
import type { WireFormat } from "../dialogue/WireFormat.ts"
import type { Mode } from "../link/ModeLink.ts"
import type { MacSettings } from "../message/MessageMac.ts"
import type { TemplateSource } from "./Template.ts"

/** Most connections that a link has. */
export const CONNECTIONS_MAX = 1000

/** A link of a load. */
export interface LoadLinkSettings {
  readonly name: string
  readonly mode: Mode
  /** How many there are, or are waited for; of a short mode, at most at once. */
  readonly connections: number
  readonly form: WireFormat
  readonly mac: MacSettings | undefined
  /** The message that signs on. */
  readonly signOn: TemplateSource | undefined
  /** Nothing is sent before the far side has signed on. */
  readonly isSignOnExpected: boolean
  /** An idle frame after this long without sending, milliseconds. */
  readonly idleMs: number
  /** A connection is closed after this long without receiving, milliseconds. */
  readonly silenceMs: number
}

/** Whether the far side makes a connection without which nothing is sent. */
export const isListening = (mode: Mode): boolean => {
  if (mode.mode === "async-simplex") return mode.send.role === "listen" || mode.receive.role === "listen"
  return mode.mode !== "async-short" && mode.way.role === "listen"
}
