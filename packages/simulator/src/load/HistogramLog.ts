/**
 * The histograms of a load as an HdrHistogram log, for other tools. It needs the whole of its library, which costs 30 ms to load:
 * only who wants a log loads this.
 */
import { HistogramLogWriter } from "hdr-histogram-js"
import type { LoadResult } from "./RunLoad.ts"

/** The histograms as an HdrHistogram log, a tag for each series: what other tools read and add up. */
export const histogramLog = ({ lasted, measure, startedAt }: LoadResult): string => {
  let text = ""
  const writer = new HistogramLogWriter((piece) => {
    text += piece
  })
  writer.outputComment("[Latencies from the intended start, microseconds, by jinka-sim load]")
  writer.outputLogFormatVersion()
  writer.outputStartTime(startedAt)
  writer.outputLegend()
  for (const { latency, link, message } of measure.series) {
    latency.tag = `${message}@${link}`.replaceAll(/[,\s]/g, "_")
    writer.outputIntervalHistogram(latency, startedAt / 1000, (startedAt + lasted) / 1000)
  }
  return text
}
