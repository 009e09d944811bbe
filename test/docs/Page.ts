/** The commands of a page in the order of its text, with what it shows of their output. */

/** One command. */
export interface Step {
  /** `docs/start.md:27`. */
  readonly place: string
  readonly command: string
  /** Lines that the page shows behind it. */
  readonly shown: ReadonlyArray<string>
}

/** What a line of a block begins with when the block holds commands without a prompt. */
const program = /^(?:npm|node|npx|mkdir|cp|sed|test|openssl|chmod|rm|export|curl|cat|xxd|jinka) /

/** A description may be behind a command, far to the right or behind `#`. */
const withoutDescription = (line: string): string => line.replace(/(?: {4,}| {2,}#).*$/, "").trimEnd()

/** The steps of a page in Markdown. */
export const stepsOf = (page: string, text: string): ReadonlyArray<Step> => {
  const steps: Array<{ place: string; command: string; shown: Array<string> }> = []
  const lines = text.split("\n")
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\w*)$/.exec(lines[at]!)
    if (fence === null) continue
    const to = lines.indexOf("```", at + 1)
    if (to < 0) throw new Error(`${page}:${at + 1}: the block has no end`)
    const block = lines.slice(at + 1, to)
    const hasPrompts = block[0]?.startsWith("$ ") === true
    const holdsCommands = ["", "sh", "text"].includes(fence[1]!)
    if (holdsCommands && (hasPrompts || program.test(`${block[0]} `))) {
      for (const [row, line] of block.entries()) {
        const place = `${page}:${at + 2 + row}`
        const last = steps.at(-1)
        if (last?.command.endsWith("\\") === true) last.command = `${last.command.slice(0, -1)}${line.trim()}`
        else if (hasPrompts && line.startsWith("$ ")) steps.push({ place, command: line.slice(2), shown: [] })
        else if (hasPrompts) last!.shown.push(line)
        // What goes on under a command without a prompt is its description.
        else if (!/^\s/.test(line) && line !== "") steps.push({ place, command: withoutDescription(line), shown: [] })
      }
    }
    at = to
  }
  return steps
}

/** A shown line as what a real one looks like: other numbers, times and addresses; `...` is anything; blanks as they fall. */
const shapeOf = (line: string): RegExp =>
  new RegExp(
    line
      .trim()
      .split("...")
      .map((part) =>
        part
          .trim()
          .replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
          .replaceAll(/\d+(?:(?:,|:|\\\.|-)\d+)*/g, "[-\\d.,:]+")
          .replaceAll(/\s+/g, "\\s+")
      )
      .join(".*")
  )

/** The shown lines that no line of the output looks like, in their order. */
export const missing = (shown: ReadonlyArray<string>, output: string): ReadonlyArray<string> => {
  let rest = output.split("\n")
  return shown.filter((line) => {
    if (line.trim() === "" || line.trim() === "...") return false
    const at = rest.findIndex((real) => shapeOf(line).test(real))
    if (at >= 0) rest = rest.slice(at + 1)
    return at < 0
  })
}
