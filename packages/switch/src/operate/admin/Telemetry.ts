/**
 * Sends metrics, logs and spans to an OpenTelemetry collector: effect's own exporters over the registry of `Metrics`, the
 * switch's log, and some transactions out of the journal (`Spans`). A collector that is away costs a line in the log, and
 * nothing else.
 */
import { Cause, Effect, Layer, Logger, Metric, type Scope } from "effect"
import { FetchHttpClient } from "effect/http"
import { OtlpExporter, OtlpLogger, OtlpMetrics, OtlpSerialization, OtlpTracer } from "effect/observability"
import { plainText } from "../Log.ts"
import { withProcess } from "./Look.ts"
import type { SwitchSeen } from "./Measures.ts"
import { LiveRegistry } from "./Metrics.ts"
import { type SpannedJournal, spansOf } from "./Spans.ts"

/** Where to, how often, and as whom. */
export interface TelemetrySettings {
  readonly otlp: string
  readonly everyMs: number
  /** Name of the switch. */
  readonly name: string
}

/** How long a stop waits for a collector, in milliseconds: for each of metrics, logs and spans. */
const SHUTDOWN_MS = 500

/** A redirect would turn what is sent into a question without content, so none is followed. */
const calling = Layer.merge(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" }))

const exporting = Layer.mergeAll(OtlpExporter.layerFlusher, OtlpSerialization.layerJson, calling)

/** Where something goes, and as whose. */
const to = ({ everyMs, name, otlp }: TelemetrySettings, what: string) => ({
  url: `${otlp.replace(/\/+$/, "")}/v1/${what}`,
  resource: { serviceName: "jinka", attributes: { "service.instance.id": name } },
  exportInterval: everyMs,
  shutdownTimeout: SHUTDOWN_MS
})

/** Sends the metrics until the scope ends. */
export const sendMetrics = (
  settings: TelemetrySettings,
  look: () => SwitchSeen
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(withProcess(look), (seen) =>
    OtlpMetrics.make(to(settings, "metrics")).pipe(
      Effect.provideService(Metric.MetricRegistry, new LiveRegistry(seen)),
      Effect.provide(exporting)
    )
  )

/** The log goes there, too, covered as on standard error; merged with the loggers that are there. */
export const logsTo = (settings: TelemetrySettings): Layer.Layer<never> =>
  Logger.layer([Effect.map(OtlpLogger.make(to(settings, "logs")), covered)], { mergeWithExisting: true }).pipe(
    Layer.provide(exporting)
  )

const covered = (logger: Logger.Logger<unknown, void>): Logger.Logger<unknown, void> =>
  Logger.make((line) => logger.log({ ...line, message: plainText(line.message), cause: Cause.empty }))

/** Sends one of `oneOf` transactions as a span until the scope ends. */
export const sendSpans = (
  settings: TelemetrySettings,
  journal: SpannedJournal,
  oneOf: number
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(Effect.provide(OtlpTracer.make(to(settings, "traces")), exporting), (tracer) => {
    const once = spansOf(journal, tracer, oneOf)
    // A journal that has stopped ends the switch.
    return Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(settings.everyMs), Effect.ignore(once))))
  }).pipe(Effect.asVoid)
