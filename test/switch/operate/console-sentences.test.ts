/** The sentences of the switch in 中文: each that a page of the console shows has one, and names in them stay as they are. */
import { readFileSync } from "node:fs"
import { parseSync } from "oxc-parser"
import { describe, expect, it } from "vitest"

const root = new URL("../../../packages/switch/", import.meta.url)
Object.assign(globalThis, { localStorage: { getItem: () => "zh-CN" } })
const { learn, says } = (await import(new URL("console/sentences.js", root).href)) as {
  says: (text: string) => string
  learn: (names: { readonly [english: string]: string }) => void
}
learn({ Approved: "承兑或交易成功" })

/** Texts of a source file, with `{}` for what they put in. */
const textsIn = (file: string): ReadonlyArray<string> => {
  const source = readFileSync(new URL(`src/${file}`, root), "utf8")
  const texts: Array<string> = []
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return
    if (Array.isArray(node)) return node.forEach(walk)
    const { quasis, type, value } = node as {
      readonly type?: string
      readonly value?: unknown
      readonly quasis?: ReadonlyArray<{ readonly value: { readonly cooked: string } }>
    }
    if (type === "ImportDeclaration") return
    if (type === "Literal" && typeof value === "string") texts.push(value)
    if (type === "TemplateLiteral") texts.push(quasis!.map((part) => part.value.cooked).join("{}"))
    Object.values(node).forEach(walk)
  }
  walk(parseSync(file, source).program.body)
  return texts
}

/** Whole sentences: several words, with nothing that goes on from another text or into one. */
const isSentence = (text: string): boolean => /^[A-Za-z{].* [a-z]+ .*[^ ]$/s.test(text) && / [a-z]+ [a-z]+/.test(text)

/** Parts of sentences that are tried whole below, and what the console does not show. */
const parts: ReadonlyArray<RegExp> = [
  /^\{\} (not on disk yet|given up because|for a person|in five minutes|spoke for another partner)/,
  /^(waiting for the other leg|wrong or missing MACs?|\{\}, the oldest for \{\}|its date )$/,
  /^(the journal is too slow|half a link|it takes no requests|new requests are refused|the partner's clock is \{\} \{\})/,
  /^(message|request|reversal)\{\}/,
  /^pending \{\} exchange \{\} of \{\}$/,
  /^message \{\}/,
  /^(The partner did not answer|Exchange \{\} is \{\})/,
  /^(was|is) .* (person|acknowledged|even|settled|acknowledged:)/,
  /^\{\}(No request|The nearest)/,
  /^\{\}; its reversal/,
  /^(its connection is still up|no reason given|Message authentication code)$/
]

const files = [
  "Operations.ts",
  "Pending.ts",
  "operate/alarm/Conditions.ts",
  "operate/alarm/Pauses.ts",
  "operate/FullWords.ts",
  "operate/ClockWords.ts",
  "operate/trace/EntryWords.ts",
  "operate/trace/Even.ts",
  "operate/trace/Changes.ts",
  "exchange/day/BusinessDay.ts"
]

describe("A sentence of the switch", () => {
  it.each(files)("is there in Chinese: %s", (file) => {
    const texts = [...new Set(textsIn(file))].filter((text) => isSentence(text) && !parts.some((one) => one.test(text)))
    const untold = texts.filter((text) => !/\p{Script=Han}/u.test(says(text.replaceAll("{}", "7"))))

    expect(untold).toEqual([])
    expect(texts.length).toBeGreaterThan(0)
  })

  it("is there for each way in which a connection ends", () => {
    const source = readFileSync(new URL("src/link/LinkEnded.ts", root), "utf8")
    const ways = [...source.matchAll(/how: "([^"]+)"/g)].map(([, how]) => how!)

    expect(ways.filter((how) => !/\p{Script=Han}/u.test(says(how)))).toEqual([])
    expect(ways.length).toBeGreaterThan(20)
  })

  it.each([
    ["it takes no requests: down", "不接受请求：断开"],
    [
      "it takes no requests: connecting; last end: PeerClosed, the partner closed the connection",
      "不接受请求：连接中；上次断开：PeerClosed，对方关闭了连接"
    ],
    [
      "no request for 22 minutes; at this hour 40 seconds are the longest that is usual, by 7 earlier days",
      "已 22 分钟 没有请求；这个时段通常最长 40 秒（依据此前 7 天）"
    ],
    [
      "41 of 120 requests of the last 15 minutes were approved (34 of 100); at this hour 93 of 100 are, by 5 earlier days. Most often instead: 91 (40 times)",
      "最近 15 分钟的 120 笔请求中，批准了 41 笔（34%）；这个时段通常为 93%（依据此前 5 天）。其余最多的是：91（40 次）"
    ],
    [
      "the journal is too slow: it takes 1.8 s for an entry and has been slow for 25 seconds, and 1200 bytes are not on disk yet; requests end without an answer for it",
      "日志库过慢：每条记录需 1.8 秒，已持续 25 秒，尚有 1200 字节未落盘；请求因此得不到应答"
    ],
    [
      "our certificate a.pem runs out in 12 days: whoever checks it refuses it then; our certificate b.pem has run out: whoever checks it refuses it then",
      "本方证书 a.pem 将在 12 天后到期，届时核对证书的一方将拒绝；本方证书 b.pem 已过期，届时核对证书的一方将拒绝"
    ],
    [
      "3 messages wait for a person (issuer 2, branch 1): jinka pending list (not so any more: over in half a minute, unless it comes back)",
      "有 3 笔待人工处理 (issuer 2, branch 1)：jinka pending list（已恢复：半分钟内不再出现即解除）"
    ],
    ["1 message waits, the oldest for 5 minutes", "有 1 个报文待发，最早的已等待 5 分钟"],
    ["2 wrong or missing MACs in five minutes", "五分钟内有 2 个 MAC 错误或缺失"],
    ["1 message spoke for another partner", "有 1 个报文冒用其他合作方"],
    [
      "half a link: the receive leg is up alone, the send leg is connecting; its last end: reset",
      "链路只通一半：仅 receive 一侧已连接，send 一侧连接中；其上次断开：reset"
    ],
    [
      "the partner's clock is 31.5 s ahead of ours: compare the time zones, `timeZone` in our configuration",
      "对方时钟比本方快 31.5 秒：请核对时区（本方配置 `timeZone`）"
    ],
    [
      "The partner did not answer our echo within 5000 ms; its connection is still up.",
      "对方在 5000 毫秒内没有应答：线路测试；连接仍在。"
    ],
    [
      "Exchange 7 is under way: it does not wait for its next attempt. Its answer is awaited.",
      "交易 7 已发未应答，不在等待重发。正在等待应答。"
    ],
    ["request 0200 from time accepted, for all", "接受来自 time 的请求 0200，发往 all"],
    ["issuer answered 00 (Approved)", "issuer 应答 00（承兑或交易成功）"],
    ["issuer answered 91", "issuer 应答 91"],
    ["Approved", "承兑或交易成功"],
    ["ended by a person: anna: issuer answered by phone", "人工了结：anna: issuer answered by phone"],
    [
      "It is the answer of exchange 9, which had ended 12 ms before (timedOut timeout), 5012 ms after its request. issuer approved with 00 when the request had ended; its reversal, exchange 11, was acknowledged: both sides are even.",
      "这是交易 9 的应答，该交易已在 12 毫秒前结束（timedOut timeout）；距请求 5012 毫秒。请求结束之后 issuer 以 00 批准；其冲正（交易 11）已获确认：双方一致。"
    ],
    [
      "2026-12-30 is more than 7 days from today, 2026-11-28: is it a slip?",
      "2026-12-30 距今天（2026-11-28）超过 7 天：是否写错？"
    ],
    ["something that nobody has translated", "something that nobody has translated"]
  ])("%s", (english, chinese) => {
    expect(says(english)).toBe(chinese)
  })
})
