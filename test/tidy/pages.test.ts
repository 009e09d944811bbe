/** The rules of the documents can fail: pages that are in step, and pages that are not. */
import { describe, expect, it } from "vitest"
import { brokenAnchors, strayTwins } from "./Pages.ts"
import { listing } from "./Source.ts"

/** Put together, so that no rule takes it for a page of this repository. */
const at = (...parts: ReadonlyArray<string>): string => ["docs", ...parts].join("/")

describe("The documents", () => {
  const page = (path: string, text: string) => ({ path, text })
  const twins = (english: string, chinese: string) =>
    listing(
      strayTwins([
        page(at("operate", "a.md"), `# A\n\n[中文](a.zh.md)\n\n${english}`),
        page(at("operate", "a.zh.md"), `# 甲\n\n[English](a.md)\n\n${chinese}`),
        page(at("operate", "b.md"), "# B\n\n[中文](b.zh.md)"),
        page(at("operate", "b.zh.md"), "# 乙\n\n[English](b.md)"),
        page(at("other", "c.md"), "# C")
      ])
    )

  it("lead to headings that are there, in any language, and by an anchor", () => {
    const target = page(
      at("b.md"),
      '# The "one" `word`, twice\n\n<a id="here"></a>\n\n```\n# no heading\n```\n\n## 两个 节点\n'
    )
    const findings = (to: string) =>
      brokenAnchors([page(at("a.md"), `[x](b.md#${to}) and [y](#none-here)`), target]).length

    expect([findings("the-one-word-twice"), findings("here"), findings("两个-节点")]).toEqual([1, 1, 1])
    expect([findings("no-heading"), findings("one")]).toEqual([2, 2])
  })

  it("for operators have a twin, and pages elsewhere may have one", () => {
    expect(listing(strayTwins([page(at("operate", "c.md"), "# C")]))).toContain(`write ${at("operate", "c.zh.md")}`)
    expect(listing(strayTwins([page("docs/start.md", "# S"), page(at("concepts/c.md"), "# C")]))).toBe(
      "docs/start.md:1  中文: operators read this page; write docs/start.zh.md"
    )
  })

  it.each([
    ["Text `a b`.", "文字 `a b`。"],
    ["```sh\nrun --now   # at once\n```", "```sh\nrun --now   # 立即\n```"],
    ["See [B](b.md).\n\n- one\n- two", "见[乙](b.zh.md)。\n\n- 一\n- 二"],
    ["See [C](../other/c.md).", "见[丙](../other/c.md)（英文）。"]
  ])("are in step: %j", (english, chinese) => expect(twins(english, chinese)).toBe(""))

  it.each([
    ["## Two\n", "", "headings differ"],
    ["One.\n\nTwo.", "一。", "paragraphs, list items and rows differ"],
    ["| a | b |\n| - | - |\n| 1 | 2 |", "| 甲 | 乙 |\n| - | - |", "rows differ"],
    ["```sh\nrun\n```", "```sh\nrun --now\n```", 'there "run", here "run --now"'],
    ["Text `a`.", "文字。", 'there "a", here "nothing more'],
    ["See [B](b.md).", "见乙。", `there "${at("operate", "b.md")}", here "nothing more`],
    ["See [B](b.md).", "见[乙](b.md)。", "b.md has a page in Chinese"],
    ["See [C](../other/c.md).", "见[丙](../other/c.md)。", "c.md is in English alone"]
  ])("are not in step: %j and %j", (english, chinese, found) => expect(twins(english, chinese)).toContain(found))

  it("name their twin", () => {
    const alone = strayTwins([
      page(at("operate", "a.md"), "# A"),
      page(at("operate", "a.zh.md"), "# 甲\n\n[English](a.md)")
    ])

    expect(listing(alone)).toContain(`${at("operate", "a.md")}:1  中文: does not link to its twin`)
  })
})
