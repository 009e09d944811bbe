/**
 * Commands by which a parent process steers a running partner: one JSON object a line on standard input.
 *
 * Owns the form of commands and of the lines that come back on standard output. Carries nothing out.
 */
import { readJson } from "@jinka/codec"
import { Result, Schema } from "effect"

const Percent = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 100 }))

/** All commands. Durations are texts like "2 seconds" or "300 millis". */
export const Command = Schema.Union([
  /** Print the counters. */
  Schema.Struct({ do: Schema.Literal("status") }),
  /** No new requests; what is under way goes on (acquirer). */
  Schema.Struct({ do: Schema.Literal("stop-load") }),
  /** Cut the own links and make or take no new ones for a time. */
  Schema.Struct({
    do: Schema.Literal("cut"),
    how: Schema.Literals(["reset", "fin"]),
    for: Schema.DurationFromString
  }),
  /** Change the mix from now on (issuer). Percentages; what is not named stays. */
  Schema.Struct({
    do: Schema.Literal("behave"),
    decline: Schema.optionalKey(Percent),
    ignore: Schema.optionalKey(Percent),
    drop: Schema.optionalKey(Percent),
    delay: Schema.optionalKey(Percent),
    adviceIgnore: Schema.optionalKey(Percent),
    adviceDrop: Schema.optionalKey(Percent),
    adviceDelay: Schema.optionalKey(Percent)
  }),
  /** End in order: drain, sign off, print the summary, exit. The same as SIGTERM. */
  Schema.Struct({ do: Schema.Literal("finish") })
])
export type Command = typeof Command.Type

const decode = Schema.decodeUnknownResult(Command)

/** A line as a command, or why it is none. */
export const parseCommand = (line: string): Command | { readonly refused: string } => {
  const read = readJson(line)
  if ("wrong" in read) return { refused: read.wrong }
  const result = decode(read.json)
  return Result.isSuccess(result) ? result.success : { refused: result.failure.message }
}
