/**
 * The log of a running switch: one line for each event on standard error, as text for people or as JSON for collectors.
 *
 * Standard output belongs to what the command prints for its caller.
 */
import { coverCardText } from "@jinka/codec"
import { Cause, type Layer, Logger, References } from "effect"

/** Forms of the log. */
export const logForms = ["text", "json"] as const
/** One of {@link logForms}. */
export type LogForm = (typeof logForms)[number]

/** What was logged in one text; what is shaped like a card number or a track is covered, wherever it came from. */
export const plainText = (message: unknown): string =>
  coverCardText(
    (Array.isArray(message) ? message : [message])
      .map((part) => (typeof part === "string" ? part : JSON.stringify(part)))
      .join(" ")
  )

/**
 * `2026-11-22 21:04:11.123 INFO  issuer#3 connected ...`; the lines of one text follow each other, other control characters
 * become dots.
 */
const text = Logger.make<unknown, string>(({ cause, date, fiber, logLevel, message }) => {
  const { link, epoch, ...rest } = fiber.getRef(References.CurrentLogAnnotations)
  const at = date.toISOString().replace("T", " ").slice(0, 23)
  const place =
    link === undefined ? "" : ` ${String(link)}${epoch === undefined || epoch === 0 ? "" : `#${String(epoch)}`}`
  const more = Object.entries(rest).map(([key, value]) => ` ${key}=${plainText(value)}`)
  const why = cause.reasons.length === 0 ? "" : ` ${coverCardText(Cause.pretty(cause).split("\n")[0]!)}`
  return `${at} ${logLevel.toUpperCase().padEnd(5)}${place} ${plainText(message)}${more.join("")}${why}`
    .replace(/\s*[\r\n]+\s*/g, " ")
    .replace(/\p{Cc}/gu, ".")
})

/** One JSON object a line: `at`, `level`, `text`, and the annotations (`link`, `epoch`). */
const json = Logger.make<unknown, string>(({ cause, date, fiber, logLevel, message }) =>
  JSON.stringify({
    at: date.toISOString(),
    level: logLevel.toLowerCase(),
    text: plainText(message),
    ...fiber.getRef(References.CurrentLogAnnotations),
    ...(cause.reasons.length === 0 ? {} : { cause: coverCardText(Cause.pretty(cause).split("\n")[0]!) })
  })
)

/** The log in the form asked for, in place of the loggers that are there. */
export const layer = (form: LogForm): Layer.Layer<never> =>
  Logger.layer([Logger.withConsoleError(form === "json" ? json : text)])
