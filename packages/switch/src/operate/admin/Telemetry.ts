/** Sends the metrics to an OpenTelemetry collector: effect's own exporter over the registry of `Metrics`. */
import { Effect, Layer, Metric, type Scope } from "effect"
import { FetchHttpClient } from "effect/http"
import { OtlpExporter, OtlpMetrics, OtlpSerialization } from "effect/observability"
import { withProcess } from "./Look.ts"
import type { SwitchSeen } from "./Measures.ts"
import { LiveRegistry } from "./Metrics.ts"

/** Where to, how often, and as whom. */
export interface TelemetrySettings {
  readonly otlp: string
  readonly everyMs: number
  /** Name of the switch. */
  readonly name: string
}

/** Sends until the scope ends. A collector that is away costs a line in the log, and nothing else. */
export const sendMetrics = (
  { everyMs, name, otlp }: TelemetrySettings,
  look: () => SwitchSeen
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(withProcess(look), (seen) =>
    OtlpMetrics.make({
      url: `${otlp.replace(/\/+$/, "")}/v1/metrics`,
      resource: { serviceName: "jinka", attributes: { "service.instance.id": name } },
      exportInterval: everyMs
    }).pipe(
      Effect.provideService(Metric.MetricRegistry, new LiveRegistry(seen)),
      Effect.provide(Layer.mergeAll(OtlpExporter.layerFlusher, OtlpSerialization.layerJson, FetchHttpClient.layer))
    )
  )
