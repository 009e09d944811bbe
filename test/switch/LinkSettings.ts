/**
 * The settings of a link that nearly every test of the switch wants: CUPS, one long connection that a partner makes, nobody signs
 * on, nobody is probed. A test says what it changes.
 */
import { type Codec, compile, cups, cupsFrame, type Dialect } from "@jinka/codec"
import type { SwitchSettings } from "../../packages/switch/src/Switch.ts"

const codecs = new WeakMap<Dialect, Codec>()

/** The codec of a dialect, made once: a run of all tests has some thousand switches with two links each. */
export const codecOf = (dialect: Dialect): Codec => {
  const codec = codecs.get(dialect) ?? compile(dialect)
  codecs.set(dialect, codec)
  return codec
}

const readings = new WeakMap<Dialect, Codec>()

/** The same for whoever reads what was refused: a refusal echoes what was wrong with the request. */
export const lenientOf = (dialect: Dialect): Codec => {
  const codec = readings.get(dialect) ?? compile({ ...dialect, lenient: true })
  readings.set(dialect, codec)
  return codec
}

/** All settings of a link: its connection's and its deliveries'. */
export type LinkAll = SwitchSettings["links"][number]

/** Everything but the name and the partner's end; see above. */
export const usualLink: Omit<LinkAll, "name" | "institution" | "side"> = {
  speaksFor: [],
  identity: "checked",
  ourInstitution: "00010000",
  dialect: cups,
  codec: codecOf(cups),
  frame: cupsFrame,
  mode: "async-duplex",
  short: undefined,
  stan: "callers",
  callers: [],
  waiting: { places: 0, waitMs: 0 },
  signOn: { send: false, expect: false, timeoutMs: 1000 },
  idleMs: 0,
  watchdog: { intervalMs: 60_000, probe: false, proofs: 0 },
  reconnect: { minMs: 20, maxMs: 100 },
  window: 64,
  frameTimeoutMs: 5000,
  unsentMax: 1 << 20,
  writeTimeoutMs: 5000,
  utcOffsetMs: 0,
  delivery: { timeoutMs: 1000, retryMs: 100, attemptsMax: 5, window: 8 }
}
