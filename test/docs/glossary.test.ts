/** One thing has one 中文 word, in the console and on every page: whoever reads both must not take it for two things. */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("../../", import.meta.url))
const console = "packages/switch/console/words.js"
const pages = readdirSync(`${root}docs`, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".zh.md"))
  .map((name) => `docs/${name}`)

/** What a word must not be, where, and what it is instead. */
const rules: ReadonlyArray<{ readonly wrong: RegExp; readonly write: string; readonly files: ReadonlyArray<string> }> =
  [
    // 日志库 is the journal, 运行日志 the log; a part of the journal (组, 记录, 盘, 线程), and logs of others, are called so.
    {
      wrong: /(?<!运行|系统|内核|程序|预写|对方|它的|设备的|服务器)日志(?!库|盘|组|记录|线程)/g,
      write: "日志库 (journal) or 运行日志 (log)",
      files: [console]
    },
    // A link is 链路; 线路 is the line below it, and 线路测试 the echo.
    { wrong: /线路(?!测试)/g, write: "链路 (link)", files: [console] },
    { wrong: /合作伙伴|伙伴/g, write: "合作方 (partner)", files: [console, ...pages] },
    { wrong: /追踪号|跟踪号/g, write: "流水号 (STAN)", files: [console, ...pages] },
    { wrong: /报警/g, write: "告警 (alarm)", files: [console, ...pages] },
    { wrong: /清算日|结算日/g, write: "营业日 (business day)", files: [console, ...pages] },
    { wrong: /密钥校验码|检验值/g, write: "校验值 (check value)", files: [console, ...pages] }
  ]

describe("The 中文 of Jinka", () => {
  it("has one word for one thing", () => {
    expect(pages.length).toBeGreaterThan(10)
    const found = rules.flatMap(({ files, write, wrong }) =>
      files.flatMap((file) =>
        [...readFileSync(`${root}${file}`, "utf8").matchAll(wrong)].map(
          ({ 0: word }) => `${file}: ${word}: write ${write}`
        )
      )
    )
    expect(found).toEqual([])
  })
})
