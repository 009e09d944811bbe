/**
 * The evidence of one link or transaction as a partner gets it: times, states and masked messages, in English and 中文. Pure.
 *
 * A link's holds nothing of other partners; a transaction's shows both of its sides, and says so: the journal has a request as it
 * came. Nothing of the configuration is in either.
 */
import { linkDetail } from "./control/LinkText.ts"
import type { LinkReport, StatusReport } from "./control/Report.ts"
import type { TraceReport } from "./trace/TraceReport.ts"
import { traceText } from "./trace/TraceText.ts"

/** What is told of. */
export interface Evidence {
  readonly status: Pick<StatusReport, "name" | "at" | "kernelAbsent">
  /** The link, when one was named. */
  readonly link: LinkReport | undefined
  /** The transaction, when one was named. */
  readonly trace: TraceReport | undefined
}

const heading = ({ at, name }: Evidence["status"]): string =>
  [
    "# Evidence 证据材料",
    "",
    `Switch 交换机 ${name}, at 时间 ${at} (UTC, 世界协调时).`,
    "",
    "Card numbers, tracks and PIN blocks are covered. 卡号、磁道与 PIN 均已屏蔽。"
  ].join("\n")

const block = (text: string): string => ["```text", text, "```"].join("\n")

const linkPart = (link: LinkReport, { at, kernelAbsent }: Evidence["status"]): string =>
  [
    `## Link 链路 ${link.name} (${link.institution})`,
    "",
    block(linkDetail(link, at, kernelAbsent)),
    "",
    "| When 时间 | Ended by 断开方 | How 方式 | Reason 原因 |",
    "| --- | --- | --- | --- |",
    ...link.ends.map(({ at: when, by, how, reason, why }) => `| ${when ?? ""} | ${by} | ${how} | ${reason}: ${why} |`),
    "",
    "| Requests in 来报 | Requests out 去报 | Without an answer 超时 | Late 迟到 | Unmatched 无匹配 |",
    "| --- | --- | --- | --- | --- |",
    `| ${link.traffic.requestsIn} | ${link.traffic.requestsOut} | ${link.traffic.timeouts} | ${link.traffic.late} | ${link.traffic.unmatched} |`
  ].join("\n")

const tracePart = (trace: TraceReport): string =>
  [
    "## Transaction 交易",
    "",
    ...(trace.exchanges.length === 0
      ? ["Not found 未找到"]
      : [
          "Messages of both partners are shown: read this before you send it to one of them. 列有双方报文,发送给其中一方前请先阅读。",
          "",
          block(traceText(trace))
        ])
  ].join("\n")

/** The page, in Markdown. */
export const evidencePage = (evidence: Evidence): string => {
  const { link, status, trace } = evidence
  const parts = [
    heading(status),
    ...(link === undefined ? [] : [linkPart(link, status)]),
    ...(trace === undefined ? [] : [tracePart(trace)])
  ]
  return `${parts.join("\n\n")}\n`
}
