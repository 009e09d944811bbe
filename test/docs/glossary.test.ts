/**
 * The glossary has every word that the program shows for a state, an alarm, an act or an end, and one 中文 for each, which the
 * console and the pages use: whoever reads two of them must not take one thing for two.
 */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { EntryKind } from "../../packages/switch/src/journal/EntryKind.ts"
import { initial, type LinkState, phrase } from "../../packages/switch/src/link/LinkState.ts"
import { modes } from "../../packages/switch/src/link/Settings.ts"
import { acts } from "../../packages/switch/src/Operations.ts"
import { alarmKinds } from "../../packages/switch/src/operate/alarm/Conditions.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, "utf8")

const wordsFile = "packages/switch/console/words.js"
const pages = readdirSync(`${root}docs`, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`)
const chinese = pages.filter((name) => name.endsWith(".zh.md"))

/** A row: the English terms, the 中文, and what it is in both. */
const rows = read("docs/glossary.md")
  .split("\n")
  .filter((line) => /^\| (?!English|---)/.test(line))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim())
  )

/** The program's own words of the first column, each with its 中文; in a row of several the terms of both columns go in pairs. */
const shown = new Map(
  rows.flatMap(([english = "", own = ""]) => {
    const words = [...english.matchAll(/`([^`]+)`/g)].map(([, word]) => word!)
    const terms = own.split("、")
    return words.map((word, at) => [word, words.length === terms.length ? terms[at]! : own] as const)
  })
)

/** The console's words by their keys: English and 中文. */
const inConsole = new Map(
  [...read(wordsFile).matchAll(/^ {2}"?([\w, -]+?)"?: \[\s*"((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)"\s*\]/gm)].map(
    ([, key, english, own]) => [key!, { english: english!, own: own! }] as const
  )
)

/** Every state that a link can be in, as the status says it. */
const linkStates = (): ReadonlySet<string> => {
  const choices: { readonly [Key in keyof LinkState]?: ReadonlyArray<LinkState[Key]> } = {
    connected: [true, false],
    draining: [false, true],
    blocked: [false, true],
    collecting: [false, true],
    ours: ["none", "missing", "off"],
    partners: ["none", "missing"],
    watchdog: ["OKAY", "SUSPECT", "REOPEN", "DOWN"],
    lacks: ["", "key", "module"]
  }
  const states = Object.entries(choices).reduce<ReadonlyArray<LinkState>>(
    (all, [name, values]) => all.flatMap((state) => values.map((value) => ({ ...state, [name]: value }))),
    [initial]
  )
  return new Set(states.map(phrase))
}

/** Words that stand in the code as `"one" | "other"` behind a name, or as what a getter returns. */
const union = (path: string, name: RegExp): ReadonlyArray<string> => {
  const found = name.exec(read(path))?.[1] ?? ""
  return [...found.matchAll(/"([^"]+)"/g)].map(([, word]) => word!)
}

const entries = Object.keys(EntryKind)
const doubtful = ["abandoned", "declined", "unreversed"]
const usual = "accepted refused answered queued sent event named key released day timedOut notSent".split(" ")

/** Words that the glossary owes. `keys`: what is before the word in the console's keys. */
interface Owed {
  readonly what: string
  readonly words: ReadonlyArray<string>
  readonly keys?: string
}

const owed: ReadonlyArray<Owed> = [
  { what: "state of a link", words: [...linkStates()] },
  {
    what: "state of a link of short connections",
    words: union("packages/switch/src/link/ShortLink.ts", /get phrase\(\): string \{([\s\S]*?)\n {2}\}/)
  },
  {
    what: "state of a stored message",
    words: union("packages/switch/src/exchange/delivery/Stored.ts", /type DeliveryState = (.*)/)
  },
  { what: "phase of the watchdog", words: union("packages/switch/src/link/Watchdog.ts", /type Phase = (.*)/) },
  { what: "alarm", words: alarmKinds, keys: "alarm-" },
  { what: "act on a link", words: acts },
  { what: "entry of the journal that asks for a look", words: entries.filter((kind) => !usual.includes(kind)) },
  {
    what: "state of a leg",
    words: union("packages/switch/src/link/LinkStatus.ts", /interface SimplexLegStatus \{\n {2}readonly state: (.*)/)
  },
  {
    what: "state of a member of a group",
    words: union("packages/switch/src/exchange/Groups.ts", /readonly state: ("used".*)/)
  },
  {
    what: "state of a security module and of its devices",
    words: [
      ...union("packages/switch/src/operate/control/Report.ts", /Schema\.Literals\((\["up", "suspect".*)\)/),
      ...union("packages/switch/src/operate/control/Report.ts", /Schema\.Literals\((\["up", "degraded".*)\)/)
    ]
  },
  // The console has other keys for these columns.
  {
    what: "sum of the totals",
    words: union("packages/switch/src/operate/totals/TotalsText.ts", /const sums = (.*)/),
    keys: "sum-"
  },
  { what: "mode", words: modes }
]

/** What is written in place of what, and where. */
const rules: ReadonlyArray<{ readonly wrong: RegExp; readonly write: string; readonly files: ReadonlyArray<string> }> =
  [
    // 日志库 is the journal, 运行日志 the log; a part of the journal (组, 记录, 盘, 线程), and logs of others, are called so.
    {
      wrong: /(?<!运行|系统|内核|程序|预写|对方|它的|设备的|服务器)日志(?!库|盘|组|记录|线程)/g,
      write: "日志库 (journal) or 运行日志 (log)",
      files: [wordsFile]
    },
    // A link is 链路; 线路 is the line below it, and 线路测试 the echo.
    { wrong: /线路(?!测试)/g, write: "链路 (link)", files: [wordsFile] },
    { wrong: /合作伙伴|伙伴/g, write: "合作方 (partner)", files: [wordsFile, ...pages] },
    { wrong: /追踪号|(?<!系统)跟踪号/g, write: "流水号 (STAN)", files: [wordsFile, ...pages] },
    { wrong: /(?<!检索)参考号/g, write: "检索参考号 (RRN)", files: [wordsFile, ...pages] },
    { wrong: /报警/g, write: "告警 (alarm)", files: [wordsFile, ...pages] },
    { wrong: /清算日(?!期)|结算日/g, write: "营业日 (business day)", files: [wordsFile, ...pages] },
    { wrong: /密钥校验码|检验值/g, write: "校验值 (check value)", files: [wordsFile, ...pages] },
    { wrong: /封锁/g, write: "停用 (block)", files: [wordsFile, ...pages] },
    { wrong: /拥有者/g, write: "主用节点 (owner)", files: [wordsFile, ...pages] },
    { wrong: /腿/g, write: "单向连接 (leg)", files: [wordsFile, ...pages] },
    { wrong: /锚(?!点)/g, write: "锚点 (anchor)", files: [wordsFile, ...pages] },
    { wrong: /读不懂/g, write: "无法解析 (cannot be read)", files: [wordsFile, ...pages] },
    { wrong: /交换程序/g, write: "交换机 (switch)", files: [wordsFile, ...pages] },
    // One way to name a data element; the files of the simulator's world and the standard's own 1.8 are no exception.
    { wrong: /\bF\d{1,3}\b/g, write: "DE and its number", files: [wordsFile, ...pages] }
  ]

describe("The glossary", () => {
  it("has both languages in each row, and no term twice", () => {
    expect(rows.length).toBeGreaterThan(120)

    for (const row of rows) expect([row[0], row.filter((cell) => cell !== "").length]).toEqual([row[0], 4])

    for (const column of [0, 1]) {
      const terms = rows.map((row) => row[column]!)
      expect(terms.filter((term, at) => terms.indexOf(term) !== at)).toEqual([])
    }

    for (const [english, own] of rows) expect([english, /\p{Script=Han}/u.test(own!)]).toEqual([english, true])
  })

  it.each(owed)("has every $what", ({ words }) => {
    expect(words.length).toBeGreaterThan(1)
    expect(words.filter((word) => !shown.has(word))).toEqual([])
  })

  it.each(owed)("has the console's 中文 for every $what that is shown there", ({ keys = "", words }) => {
    const apart = words.flatMap((word) => {
      const own = inConsole.get(`${keys}${word}`)?.own
      return own === undefined || shown.get(word) === own ? [] : [[word, own, shown.get(word)]]
    })
    expect(apart).toEqual([])
  })

  it("has the console's 中文 for every term that is a word there", () => {
    expect(inConsole.size).toBeGreaterThan(150)

    const terms = new Map(
      rows.flatMap(([english = "", own = ""]) =>
        english
          // What the program prints is held to its own key, above.
          .replaceAll(/\([^)]*\)|`[^`]*`/g, "")
          .split(", ")
          .map((term) => [term.trim().toLowerCase(), own] as const)
      )
    )
    const apart = [...inConsole.values()].flatMap(({ english, own }) => {
      const wanted = terms.get(english.toLowerCase())
      const isIt = wanted === undefined || wanted.split(/[、（）]/).some((term) => term !== "" && own.includes(term))
      return isIt ? [] : [`${english}: ${own}, and ${wanted} in the glossary`]
    })

    expect(apart).toEqual([])
  })

  it("tells what is in doubt as such", () => {
    expect(doubtful.filter((word) => !/存疑/.test(rows.find(([english]) => english!.includes(word))![3]!))).toEqual([])
  })
})

describe("The words of Jinka", () => {
  it("are the same for one thing on every page and in the console", () => {
    expect(chinese.length).toBeGreaterThan(10)
    const found = rules.flatMap(({ files, write, wrong }) =>
      files.flatMap((file) => [...read(file).matchAll(wrong)].map(({ 0: word }) => `${file}: ${word}: write ${write}`))
    )
    expect(found).toEqual([])
  })
})
