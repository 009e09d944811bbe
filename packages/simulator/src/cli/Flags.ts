/**
 * Flags that several commands of jinka-sim share, and how their texts become settings.
 *
 * Owns the command line's units: durations are texts ("5 seconds", "300 millis"), shares are percent, amounts are minor
 * units. The seed may also come from the environment (JINKA_SIM_SEED).
 */
import { Config, Duration, Effect, Option, Schema } from "effect"
import { Flag } from "effect/cli"
import { isLoopback } from "../control/LocalHttp.ts"
import { type Endpoint, endpointOfText } from "../link/Listener.ts"
import type { LinkSettings } from "../link/PartnerLink.ts"
import { cupsForm } from "../message/CupsMessage.ts"
import { SettingInvalid } from "../SimulatorError.ts"

const decodeDuration = Schema.decodeUnknownOption(Schema.DurationFromString)

/** Milliseconds of "5 seconds"; a bare number has no unit, and is none. */
const durationMs = (text: string): Option.Option<number> =>
  Option.filter(Option.map(decodeDuration(text.trim()), Duration.toMillis), (ms) => ms >= 0 && Number.isFinite(ms))

/** What to write instead. */
const durationRule = (name: string, text: string): string => {
  const number = /^\d+(?:\.\d+)?$/.exec(text.trim())?.[0]
  const short = /^(\d+(?:\.\d+)?) ?(ms|s|sec|m|min|h)$/.exec(text.trim())
  const unit = { ms: "millis", s: "seconds", sec: "seconds", m: "minutes", min: "minutes", h: "hours" }
  const meant =
    number !== undefined
      ? `"${number} seconds" or "${number} millis"`
      : short !== null
        ? `"${short[1]} ${unit[short[2] as keyof typeof unit]}"`
        : '"5 seconds", "300 millis" or "2 minutes"'
  return `--${name} takes a duration, a number with its unit, not "${text}": say ${meant}`
}

/** A duration flag in milliseconds. */
export const duration = (name: string, description: string, usual: string): Flag.Flag<number> =>
  Flag.String(name).pipe(
    Flag.withMetavar("duration"),
    Flag.withDescription(`${description} (default "${usual}")`),
    Flag.withDefault(usual),
    Flag.filterMap(durationMs, (text) => durationRule(name, text))
  )

/** A percentage, 0 to 100. */
export const percent = (name: string, description: string, usual: number): Flag.Flag<number> =>
  Flag.Finite(name).pipe(
    Flag.withMetavar("percent"),
    Flag.withDescription(`${description} (default ${usual})`),
    Flag.withDefault(usual),
    Flag.filter(
      (value) => value >= 0 && value <= 100,
      (value) => `--${name} takes 0 to 100, not ${value}`
    )
  )

/** A whole number from `least` up. */
export const whole = (name: string, description: string, usual: number, least = 1): Flag.Flag<number> =>
  Flag.Int(name).pipe(
    Flag.withDescription(`${description} (default ${usual})`),
    Flag.withDefault(usual),
    Flag.filter(
      (value) => value >= least,
      (value) => `--${name} takes ${least} or more, not ${value}`
    )
  )

/** An institution identification code: 1 to 11 digits. */
export const institution = (name: string, description: string, usual: string): Flag.Flag<string> =>
  Flag.String(name).pipe(
    Flag.withMetavar("digits"),
    Flag.withDescription(`${description} (default ${usual})`),
    Flag.withDefault(usual),
    Flag.filter(
      (value) => /^\d{1,11}$/.test(value),
      (value) => `--${name} takes 1 to 11 digits, not "${value}"`
    )
  )

/** A file that may be left out. */
export const file = (name: string, description: string): Flag.Flag<string | undefined> =>
  Flag.Path(name).pipe(Flag.withDescription(description), Flag.optional, Flag.map(Option.getOrUndefined))

/** A host:port flag. */
export const endpoint = (name: string, description: string): Flag.Flag<Endpoint> =>
  Flag.String(name).pipe(
    Flag.withMetavar("host:port"),
    Flag.withDescription(description),
    Flag.filterMap(
      (text) => Option.fromNullishOr(endpointOfText(text)),
      (text) => `--${name} takes host:port, not "${text}"`
    )
  )

/** A host:port flag that may be left out. */
export const optionalEndpoint = (name: string, description: string): Flag.Flag<Endpoint | undefined> =>
  endpoint(name, description).pipe(Flag.optional, Flag.map(Option.getOrUndefined))

/** A flag that takes an address of this machine alone. */
export const loopback = (name: string, description: string): Flag.Flag<Endpoint | undefined> =>
  endpoint(name, description).pipe(
    Flag.filter(
      ({ host }) => isLoopback(host),
      ({ host, port }) => `--${name} takes an address of this machine alone, such as 127.0.0.1:${port}, not ${host}`
    ),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  )

/** Flags of the links of a partner. */
export const linkFlags = {
  connect: optionalEndpoint("connect", "Dial this address, and again whenever the link falls"),
  listen: optionalEndpoint("listen", "Take connections on this address; port 0 takes a free one and says which"),
  idle: duration("idle", "Send an idle frame 0000 after this long without sending", "30 seconds"),
  silence: duration("silence", "Close a link after this long without receiving", "90 seconds"),
  redial: duration("redial", "Dial again after at most this long; the wait is drawn from the seed", "100 millis")
}

/** What linkFlags come to. */
export interface LinkInput {
  readonly connect: Endpoint | undefined
  readonly listen: Endpoint | undefined
  readonly idle: number
  readonly silence: number
  readonly redial: number
}

/** Between two ticks of a partner that has nothing to do, in milliseconds: how late an idle frame may be. */
const TICK_MS = 50

/** Settings of the links; exactly one of --connect and --listen must be given. */
export const linkSettings = (input: LinkInput): Effect.Effect<LinkSettings, SettingInvalid> => {
  const { connect, listen } = input
  const chosen = connect ?? listen
  if (chosen === undefined || (connect !== undefined && listen !== undefined)) {
    return Effect.fail(new SettingInvalid({ setting: "--connect, --listen", rule: "give exactly one of the two" }))
  }
  if (connect?.port === 0) {
    return Effect.fail(new SettingInvalid({ setting: "--connect", rule: "port 0 cannot be dialled" }))
  }
  return Effect.succeed({
    form: cupsForm(),
    idleInterval: input.idle,
    silenceLimit: input.silence,
    role: connect === undefined ? "listen" : "dial",
    endpoint: chosen,
    redialFrom: Math.floor(input.redial / 5),
    redialTo: input.redial,
    tick: TICK_MS
  })
}

/** Flags of every run. */
export const runFlags = {
  seed: Flag.Int("seed").pipe(
    Flag.withDescription(
      "Seed of everything that is drawn: the same seed gives the same run (or JINKA_SIM_SEED; default 1)"
    ),
    Flag.withFallbackConfig(Config.Int("JINKA_SIM_SEED")),
    Flag.withDefault(1)
  ),
  centre: institution("centre", "Identification of the centre, header destination of our requests", "00010000"),
  signOnTimeout: duration(
    "sign-on-timeout",
    "Close the link when a sign-on is not answered for this long",
    "5 seconds"
  ),
  control: Flag.Boolean("control").pipe(
    Flag.withDescription("Take commands on standard input, one JSON object a line; end in order when it is closed"),
    Flag.withDefault(false)
  ),
  format: Flag.Literals("format", ["json", "table"]).pipe(
    Flag.withDescription("Standard output: one JSON object a line, or one table at the end (default json)"),
    Flag.withDefault("json" as const)
  ),
  statusEvery: duration("status-every", "Print a status line this often; 0 prints none", "0 millis")
}

/** Parts of a text with commas between, without empty ones. */
export const listOf = (text: string): ReadonlyArray<string> =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
