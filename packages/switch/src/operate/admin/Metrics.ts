/**
 * The measures as effect's metrics: a registry that reads the switch whenever it is asked, so that nothing is counted twice and
 * the hot path knows nothing of it. effect's exporters (Prometheus text, OTLP) work on it as on any other.
 */
import { Context, Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { boundaries, type Labels, type Measure, measures, type Seen } from "./Measures.ts"

type Metadata = typeof Metric.MetricRegistry.Service extends Map<string, infer One> ? One : never

const series = ({ name, help, type }: Measure, attributes: Labels, state: unknown): Metadata => ({
  id: name,
  type,
  description: help,
  attributes,
  hooks: { get: () => state, update: () => undefined, modify: () => undefined }
})

/** The series of one measure as they are now. */
const seriesOf = (measure: Measure, seen: Seen): ReadonlyArray<Metadata> => {
  switch (measure.type) {
    case "Gauge":
      return measure.read(seen).map(([labels, value]) => series(measure, labels, { value }))
    case "Counter":
      return measure.read(seen).map(([labels, count]) => series(measure, labels, { count, incremental: true }))
    case "Histogram":
      return measure.read(seen).map(([labels, { upTo, ...rest }]) => {
        const buckets = boundaries.map((bound, at): readonly [number, number] => [bound, upTo[at]!])
        return series(measure, labels, { ...rest, buckets: [...buckets, [Number.POSITIVE_INFINITY, rest.count]] })
      })
  }
}

/** A registry whose series are those of the moment at which it is read. */
export class LiveRegistry extends Map<string, Metadata> {
  private readonly look: () => Seen

  constructor(look: () => Seen) {
    super()
    this.look = look
  }

  override values(): MapIterator<Metadata> {
    const seen = this.look()
    return measures.flatMap((measure) => seriesOf(measure, seen)).values()
  }
}

const registryOf = (all: ReadonlyArray<Metadata>): Context.Context<never> =>
  Context.make(Metric.MetricRegistry, new Map(all.map((one, at) => [String(at), one])))

/**
 * The text that Prometheus reads (format 0.0.4). One family after the other, with the event loop between: a switch of a thousand
 * links has tens of thousands of lines.
 */
export const prometheusText = Effect.fnUntraced(function* (look: () => Seen) {
  const seen = look()
  const texts: Array<string> = []
  for (const measure of measures) {
    texts.push(PrometheusMetrics.formatUnsafe(registryOf(seriesOf(measure, seen))))
    yield* Effect.yieldNow
  }
  return texts.join("")
})
