/** Why answers found no request, as text for a terminal. Pure. */
import type { WhyAnswer, WhyReport } from "./WhyReport.ts"

const kinds: Readonly<Record<string, string>> = {
  late: "late answer",
  unmatched: "unmatched answer",
  duplicateAnswer: "second answer"
}

/** All of them, newest first. */
export const whyText = ({ answers }: WhyReport): string => answers.map(answerText).join("\n\n")

const answerText = ({ at, code, kind, link, mti, nearest, says, seq }: WhyAnswer): string =>
  [
    `entry ${seq}  ${at.replace("T", " ").slice(0, 23)}  ${kinds[kind] ?? kind} ${mti} of ${link}, ${code === "" ? "without a code" : code}`,
    `  ${says}`,
    ...(nearest === null
      ? []
      : [
          `  exchange ${nearest.exchange} of ${nearest.at.replace("T", " ").slice(0, 23)}: same in DE ${nearest.same.join(", ") || "none"}`,
          ...nearest.differs.map(
            ({ answer, id, name, request }) =>
              `${id.padStart(8)}  ${name.slice(0, 36).padEnd(36)}  request ${request || "-"}  answer ${answer || "-"}`
          )
        ])
  ].join("\n")
