/** Partner files: what they may say, and what is said of a wrong one. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { chanceOf } from "../../../packages/simulator/src/chance/Chance.ts"
import { isLong } from "../../Runs.ts"
import { head, plansOf, wrongOf } from "./Bench.ts"

describe("A partner file", () => {
  it.each([
    ["linkk: {}", 4, '"linkk" is not known here; did you mean "link"?'],
    ["rules:\n  - { when: { amont: 5 } }", 5, 'did you mean "amount"?'],
    ["rules:\n  - answer: insuficient funds", 5, 'did you mean "insufficient funds"?'],
    ["rules:\n  - { when: { type: purchas } }", 5, 'did you mean "purchase"?'],
    ["rules:\n  - { when: { 200: x } }", 5, "the dialect cups has no DE 200"],
    ["rules:\n  - malformed: 31", 5, "the dialect cups has no DE 31"],
    ["rules:\n  - delay: 5", 5, 'a duration with its unit, "5s" or "5ms"'],
    ["rules:\n  - delay: 2s..1s", 5, "the longer time comes after the dots"],
    ["rules:\n  - { delay: 1s, late: 1s }", 5, "not both"],
    ["rules:\n  - { silence: yes, late: 1s }", 5, "late: says nothing beside `silence`: no answer leaves"],
    ["rules:\n  - { silence: lost, 38: X }", 5, "38: says nothing beside `silence`"],
    ["rules:\n  - { disconnect: FIN, wrong: stan }", 5, "wrong: says nothing beside `disconnect`"],
    ["rules:\n  - { 38: much-too-long }", 5, "field 38: "],
    ["rules:\n  - { 4: ten }", 5, "field 4: only the digits 0-9 are allowed"],
    ["rules:\n  - answer: approve 0%", 5, "no response code"],
    ["rules:\n  - { when: { amount: 200..100 } }", 5, 'the larger amount comes after the dots: "100..200"'],
    ["rules:\n  - { when: { nth: 5..2 } }", 5, 'the larger number comes after the dots: "2..5"'],
    ['rules:\n  - { when: { time: "22:00-22:00" } }', 5, "no time at all"],
    ['rules:\n  - { when: { time: "22:00-24:30" } }', 5, "no time of the day"],
    ['schedule:\n  - { send: echo, at: "24:00" }', 5, "no time of the day"],
    ["schedule:\n  - { send: echo, every: 1s, purpose: mac }", 5, "purpose: is for `send: key`"],
    ["rules:\n  - { when: { share: 20 } }", 5, '"10%"'],
    ["rules:\n  - { when: { nth: 0 } }", 5, "from 1"],
    ["rules:\n  - { when: { amount: ten } }", 5, "no amount in minor units"],
    ["rules:\n  - wrong: stann", 5, 'did you mean "stan"?'],
    ["rules:\n  - disconnect: HUP", 5, "FIN or RST"],
    ["frame: binry2", 4, 'did you mean "binary2"?'],
    ["frame: { encoding: asci, bytes: 4 }", 4, 'did you mean "ascii"?'],
    ["frame: { encoding: ascii, bytes: 40 }", 4, "bytes must be 1..10"],
    ["accounts: { card: {} }", 4, "a card number of 12 to 19 digits"],
    ["accounts: { others: { balance: lots } }", 4, "a whole number is expected"],
    ["schedule:\n  - send: echo", 5, "when is missing"],
    ["schedule:\n  - { send: ecco, every: 1s }", 5, 'did you mean "echo"?'],
    ['time zone: "8"', 4, "an offset from UTC is expected"],
    ["institution: bank", 4, "1 to 11 digits"],
    ["seed: x", 4, "a whole number"],
    ["copies: 3", 1, "copies need {n} in their name"],
    ["rules:\n  - answer: decline 00", 5, "00 approves"],
    ["rules:\n  - answer: 10", 5, 'say how much, like "approve 40%"'],
    ["---\npartner: other", 4, "the file holds more than one YAML document"],
    ["{", 4, ""]
  ])("that says %j is refused with its line and what to write", (text, line, says) => {
    const wrong = wrongOf(head("cups", `${text}\n`))
    expect(wrong).toMatch(new RegExp(`^partner\\.yaml:${line}: `))
    expect(wrong).toContain(says)
  })

  it.each([
    ["partner: x\nlink: {}\n", "give `connect` or `listen`"],
    ['partner: x\nlink: { connect: "h:0" }\n', "port 0 cannot be dialled"],
    ['partner: x\nlink: { connect: "h" }\n', "host:port"],
    ['partner: x\nlink: { connect: "h:99999" }\n', "host:port"],
    ['partner: x\nlink: { mode: sync, listen: "h:1" }\n', "known are async-duplex"],
    ['partner: x\nlink: { mode: async-short, listen: "h:1" }\n', '"connect:" is missing'],
    ['partner: x\nlink: { mode: async-simplex, listen: "h:1" }\n', '"send:" is missing'],
    ['partner: x\nlink: { listen: "h:1", tls: { ca: [no.pem] } }\n', "no.pem cannot be read"],
    ['partner: x\nlink: { listen: "h:1", tls: {} }\n', "needs a certificate"],
    ['partner: x\nlink: { connect: "h:1", tls: {} }\n', "needs `ca`"],
    ["partner: x\n", '"link:" is missing'],
    ['link: { listen: "h:1" }\n', '"partner:" is missing'],
    ["- x\n", "a map of keys and values"],
    ['partner: x\ndialect: ./gone.yaml\nlink: { listen: "h:1" }\n', "gone.yaml cannot be read"],
    ['partner: x\ndialect: cupps\nlink: { listen: "h:1" }\n', 'did you mean "cups"?'],
    ['partner: x\ndialect: unionPayPos\nsign-on: { send: yes }\nlink: { listen: "h:1" }\n', "has no sign-on"],
    ['link: { listen: "h:1" }\npartners:\n  - partner: a\n  - partner: a\n', 'two partners are called "a"']
  ])("%j is refused: %s", (text, says) => {
    expect(wrongOf(text)).toContain(says)
  })

  it("that is spoilt anyhow is taken, or refused with a line and a rule; nothing else happens", () => {
    const good = head(
      "cups",
      [
        "frame: { encoding: ascii, bytes: 4, idle: zero-length }",
        "sign-on: { send: yes, timeout: 3s }",
        "keys: { zak: { mac: ansi-x9.19, hex: 6B948A0134A110705BD325CD6E73BC15 } }",
        "mac: zak",
        'accounts:\n  "6200000000000005": { balance: 1000000, limit: { transaction: 500000, count: 3 } }',
        'schedule:\n  - { send: totals, at: "22:59" }\n  - { send: echo, every: 30s }',
        'rules:\n  - when: { amount: "> 300000", every: 3, card: ["62*"], type: [0200, purchase], nth: [1, "5.."], share: 5% }',
        "    answer: amount limit\n    delay: 1s..2s\n    wrong: [stan, mac]\n    without: [37]\n    disconnect: FIN after the answer",
        ""
      ].join("\n")
    )
    const chance = chanceOf(1, "spoilt")
    const runs = isLong ? 400 : 150
    const marks = ["{", "}", "[", ":", "-", "\n", '"', "x", "0", "&a", "..", "*", "{n}", "#", "|"]
    for (let run = 0; run < runs; run++) {
      const at = chance.below(good.length)
      const spoilt =
        good.slice(0, at) + (chance.percent(50) ? chance.pick(marks) : "") + good.slice(at + chance.below(9))
      const wrong = wrongOf(spoilt)
      if (wrong !== "") expect(wrong, spoilt).toMatch(/^partner\.yaml:\d+: \S/)
      expect(wrong).not.toContain("6200000000000005")
    }
  })

  it("never repeats a card number in what is wrong with it", () => {
    expect(wrongOf(head("cups", 'accounts: { "4111111111111111x": {} }\n'))).not.toContain("4111111111111111")
  })

  it("holds several partners, with what they share above them, and copies with numbers", () => {
    const plans = plansOf(
      [
        "dialect: nac",
        "timeout: 3s",
        "partners:",
        '  - { partner: one, link: { connect: "127.0.0.1:1" }, dialect: cups }',
        '  - { partner: "branch-{n:3}", copies: 200, institution: "4802{n:4}", link: { listen: "127.0.0.1:{7000+n}" } }',
        ""
      ].join("\n")
    )

    expect(plans).toHaveLength(201)
    expect(plans[0]).toMatchObject({ name: "one", timeoutMs: 3000, form: { codec: { dialect: { name: "cups" } } } })
    expect(plans[200]).toMatchObject({
      name: "branch-200",
      institution: "48020200",
      timeoutMs: 3000,
      form: { codec: { dialect: { name: "nac" } } },
      link: { mode: { way: { role: "listen", endpoint: { port: 7200 } } } }
    })
    expect(plans[1]!.form.codec).toBe(plans[200]!.form.codec)
  })

  it("takes a dialect of its own from a file beside it, and a frame written out", () => {
    const [plan] = plansOf(
      head("./ours.yaml", "frame: { encoding: bcd, bytes: 2, before: '02', trailer: etx-lrc, idle: none }\n"),
      { "ours.yaml": "name: ours\nextends: cups\nheader: none\nfields:\n  44: ans..99\n" }
    )

    expect(plan!.form.codec.layout.fields[44]!.units).toBe(99)
    expect(plan!.form.frame).toMatchObject({ kind: "length", encoding: "bcd", before: "02", trailer: "etx-lrc" })
  })

  it("knows no key that its reference page does not have", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../docs/reference/partners.md"), "utf8")
    const asked = (text: string) =>
      /known are (.+?)(?:, and data element numbers)?$/.exec(wrongOf(text))![1]!.split(", ")
    const keys = [
      asked(head("cups", "x-y-z: 1\n")),
      asked('partner: a\nlink: { listen: "h:1", x-y-z: 1 }\n'),
      asked('partner: a\nlink: { mode: sync-short, listen: "h:1", x-y-z: 1 }\n'),
      asked('partner: a\nlink: { listen: "h:1", tls: { x-y-z: 1 } }\n'),
      asked(head("cups", "sign-on: { x-y-z: 1 }\n")),
      asked(head("cups", `key exchange: { kek: ${"31".repeat(16)}, x-y-z: 1 }\n`)),
      asked(head("cups", "sends: { rate: 1/s, cards: ['6200000000000005'], x-y-z: 1 }\n")),
      asked(head("cups", "schedule: [{ send: echo, every: 1s, x-y-z: 1 }]\n")),
      asked(head("cups", "accounts: { others: { x-y-z: 1 } }\n")),
      asked(head("cups", "accounts: { others: { limit: { x-y-z: 1 } } }\n")),
      asked(head("cups", "rules: [{ x-y-z: 1 }]\n")),
      asked(head("cups", "rules: [{ when: { x-y-z: 1 } }]\n"))
    ].flat()

    for (const key of keys) expect(new RegExp(`\`[^\`]*\\b${key}\\b[^\`]*\``).test(page), key).toBe(true)
  })
})
