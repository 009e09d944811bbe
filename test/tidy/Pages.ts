/**
 * The documents as pages: links lead to a heading that exists, and a page for operators has its twin in Chinese, in step with it.
 *
 * Whether the words of two twins mean the same is for a reader; that nothing is missing on either side is checked here.
 */
import { posix } from "node:path"
import { type Finding, finding, type Text } from "./Source.ts"

/** What operators read: each page here has a twin. Other pages may have one, and it is held to the same. */
const twinned = (path: string): boolean => /^docs\/(?:operate\/[^/]+|start)\.md$/.test(path) && !path.endsWith(".zh.md")

const twinOf = (path: string): string => path.replace(/\.md$/, ".zh.md")

/** A page without its fenced blocks, line by line as long as before. */
const withoutBlocks = (text: string): string =>
  text.replace(/^ *```[\s\S]*?^ *```$/gm, (block) => block.replace(/[^\n]/g, ""))

/** The anchor that a heading gets where Markdown is shown. */
const anchorOf = (heading: string): string =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
    .trim()
    .replaceAll(" ", "-")

const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set([
    ...[...withoutBlocks(text).matchAll(/^#{1,6} (.*)$/gm)].map(([, heading]) => anchorOf(heading!)),
    ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id!)
  ])

const link = /\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)/g

/** Links of Markdown to a heading that is not on the page. */
export const brokenAnchors = (files: ReadonlyArray<Text>): ReadonlyArray<Finding> => {
  const pages = new Map(files.filter(({ path }) => path.endsWith(".md")).map((file) => [file.path, file]))
  return [...pages.values()].flatMap((file) =>
    [...withoutBlocks(file.text).matchAll(link)].flatMap((found) => {
      const [, to = "", anchor] = found
      const page = to === "" ? file : pages.get(posix.join(posix.dirname(file.path), to))
      if (anchor === undefined || page === undefined || anchorsOf(page.text).has(anchor)) return []
      return [finding(file, found.index, "heading", `${page.path} has no heading #${anchor}; correct the link`)]
    })
  )
}

/** A block of code as far as it is the same in every language: a comment may be translated, and so may the words of a drawing. */
const sameInBoth = (block: string): string =>
  block.includes("┌")
    ? "a drawing"
    : block
        .split("\n")
        .map((line) => line.replace(/(?:^| )\s*# .*$/, "").trimEnd())
        .filter((line) => line !== "")
        .join("\n")

/** The paragraphs, list items, rows and blocks below a heading, by kind. */
const partsOf = (section: string): string => {
  const parts: Array<string> = []
  for (const chunk of withoutBlocks(section.replaceAll(/^ *```/gm, "\n$&").replaceAll(/``` *$/gm, "$&\n")).split(
    /\n\s*\n/
  )) {
    const lines = chunk.split("\n").filter((line) => line.trim() !== "")
    const [first] = lines
    if (first === undefined || first.startsWith("#")) continue
    if (first.startsWith("|")) parts.push(...lines.map((row) => `row of ${row.split(/(?<!\\)\|/).length - 2}`))
    else if (lines.some((line) => /^\s*(?:[-*]|\d+\.) /.test(line))) {
      parts.push(...lines.filter((line) => /^\s*(?:[-*]|\d+\.) /.test(line)).map(() => "list item"))
    } else parts.push("paragraph")
  }
  return parts.join(", ")
}

const sorted = (found: Iterable<string>): ReadonlyArray<string> => [...new Set(found)].sort()

/** What two twins must have in common: a name for it, and its value. */
const shared = (page: Text, pages: ReadonlySet<string>): ReadonlyArray<readonly [string, ReadonlyArray<string>]> => {
  const body = withoutBlocks(page.text)
  const sections = page.text.split(/^(?=#{1,6} )/m).filter((section) => section.startsWith("#"))
  const targets = [...body.matchAll(link)].map(([, to = "", anchor]) => {
    const target = posix.join(posix.dirname(page.path), to === "" ? posix.basename(page.path) : to)
    const english = target.replace(/\.zh\.md$/, ".md")
    // A heading has another name in the other language; that it exists is another rule.
    return pages.has(twinOf(english)) || anchor === undefined ? english : `${english}#${anchor}`
  })
  return [
    ["headings", sections.map((section) => /^#+/.exec(section)![0])],
    ["paragraphs, list items and rows", sections.map((section, at) => `${at + 1}: ${partsOf(section)}`)],
    [
      "blocks of code",
      [...page.text.matchAll(/^ *```\w*\n([\s\S]*?)^ *```$/gm)].map(([, block]) => sameInBoth(block!))
    ],
    ["words in backticks", sorted([...body.matchAll(/`([^`]+)`/g)].map(([, word]) => word!.replaceAll(/\s+/g, " ")))],
    ["links", sorted(targets)]
  ]
}

const difference = (of: ReadonlyArray<string>, from: ReadonlyArray<string>): string => {
  const missing = of.find((one, at) => one !== from[at] && !(from.includes(one) && of.length !== from.length))
  return missing ?? of.find((one) => !from.includes(one)) ?? "nothing more, or another order"
}

/** What a Chinese page says behind a link to a page that is in English alone; the glossary is in both languages. */
const inEnglish = "（英文）"
const bilingual = "docs/glossary.md"

/** Operators' pages without a twin, and twins that are not in step, do not name each other or lead out of their language. */
export const strayTwins = (files: ReadonlyArray<Text>): ReadonlyArray<Finding> => {
  const pages = new Map(files.filter(({ path }) => path.endsWith(".md")).map((file) => [file.path, file]))
  const paths = new Set(pages.keys())
  return [...pages.values()].flatMap((page) => {
    if (page.path.endsWith(".zh.md")) return []
    const twin = pages.get(twinOf(page.path))
    const rule = "中文"
    if (twin === undefined) {
      return twinned(page.path) ? [finding(page, 0, rule, `operators read this page; write ${twinOf(page.path)}`)] : []
    }
    const names = (one: Text, other: Text) => one.text.includes(`](${posix.basename(other.path)})`)
    const unnamed = [names(page, twin) ? [] : [page], names(twin, page) ? [] : [twin]].flat()
    const chinese = new Map(shared(twin, paths))
    const apart = shared(page, paths).flatMap(([what, english]) => {
      const other = chinese.get(what)!
      if (english.join("\n") === other.join("\n")) return []
      const message = `${what} differ from ${page.path}: there "${difference(english, other)}", here "${difference(other, english)}"`
      return [finding(twin, 0, rule, message)]
    })
    const astray = [...withoutBlocks(twin.text).matchAll(link)].filter(([whole, to = ""]) => {
      const target = posix.join(posix.dirname(twin.path), to)
      return target !== page.path && paths.has(twinOf(target)) && whole !== undefined
    })
    const body = withoutBlocks(twin.text)
    const unsaid = [...body.matchAll(link)].filter(({ 0: whole, 1: to = "", index }) => {
      const target = posix.join(posix.dirname(twin.path), to)
      const isEnglishOnly = paths.has(target) && !target.endsWith(".zh.md") && !paths.has(twinOf(target))
      return isEnglishOnly && target !== bilingual && !body.startsWith(inEnglish, index + whole.length)
    })
    return [
      ...unnamed.map((one) => finding(one, 0, rule, "does not link to its twin")),
      ...unsaid.map((found) =>
        finding(twin, found.index, rule, `${found[1]} is in English alone; write ${inEnglish} behind it`)
      ),
      ...apart,
      ...astray.map((found) => finding(twin, found.index, rule, `${found[1]} has a page in Chinese; link to that`))
    ]
  })
}
