/**
 * A switch that is killed at each step of a key exchange, before it and after it, and where the step is a write also between the
 * disk and whoever waits for it; and killed once more at each step of what the next life does about it. Both sides end with a
 * common key, and no purchase is lost or doubled. Virtual time; the same with processes and SIGKILL is in
 * test/switch/operate/key.test.ts and key-kill.test.ts.
 */
import { describe, expect, it } from "vitest"
import { isLong } from "../../Runs.ts"
import type { When } from "./KeyCrash.ts"
import { exchangeSteps, given, giving, type Scenario, signOn, throughKill } from "./KeyCrashRun.ts"
import { forms } from "./KeyPartner.ts"

/** What comes of a kill at a step, in each kind of exchange: the first pattern that fits. */
type Sentences = ReadonlyArray<readonly [step: RegExp, sentence: string]>

const partnerGives: Sentences = [
  [/^says 08[02]0$/, "a question is not repeated: its answer, or the key, finds the next connection or nobody"],
  [/^writes a note/, "what is noted decides nothing"],
  [/^hears 08[13]0/, "a promise is nothing yet: the key in use stays"],
  [/^hears (0800|1804)/, "a key that was not stored was never taken"],
  [/^module: importKey/, "what a module has taken and nobody has stored is forgotten"],
  [/^module: makeMac/, "an answer that was made and not sent is made again"],
  [/^writes key/, "a key on the disk is in use at the next start, and the one before is good on receipt"],
  [/^says (0810|1814)/, "a key whose answer was lost comes again, and is answered as the one in use"]
]

const weGive: Sentences = [
  [/^hears 08[02]0/, "a question that was not answered is asked again by the partner"],
  [
    /^says (0830|0810)/,
    "an answer that a key will come is owed to nobody at the next start but the partner that asks again"
  ],
  [/^module: generateKey/, "a key that was drawn and not stored was never given"],
  [/^writes key \S+ offered/, "a key on the disk as offered is offered again, the same one"],
  [/^writes a note/, "what is noted decides nothing"],
  [/^module: makeMac/, "a MAC is made anew, at the next offer"],
  [/^says (0800|1804)/, "a key that may have left is offered again, the same one, and proves messages until then"],
  [/^hears (0810|1814)/, "an answer that was not stored comes again, to the same key"],
  [/^writes key \S+ taken/, "a key that the partner has answered for is in use, or is offered again until it is"]
]

const weSignOn: Sentences = [
  [
    /^says 0800/,
    "a sign-on whose answer was lost is made again at the next start: the centre may use other keys already"
  ],
  [/^writes a note/, "what is noted decides nothing: the next start signs on again"],
  [/^hears 0810/, "keys that came and were not stored are asked for again"],
  [/^module: importKey/, "of two keys of one answer none is taken alone"],
  [/^writes key/, "both keys are on the disk, or none"]
]

const terminalSignsOn: Sentences = [
  [/^hears 0800/, "a terminal without an answer signs on again"],
  [/^module: generateKey/, "keys that were drawn and not stored were never given"],
  [/^writes key/, "keys on the disk that the terminal never got give way to those of its next sign-on"],
  [/^says 0810/, "a terminal without an answer signs on again, and gets other keys"]
]

interface Row {
  readonly name: string
  readonly scenario: Scenario
  readonly sentences: Sentences
  readonly steps: ReadonlyArray<string>
  /** The partner knows our key only when it was asked again: what it was sent meanwhile is unproved there. */
  readonly isMute?: boolean
}

const taking = ["hears 0800", "module: importKey", "module: makeMac", "writes key mac/both taken", "says 0810 00"]
const { cups, tr31, 1993: host } = forms

const rows: ReadonlyArray<Row> = [
  {
    name: "CUPS 0800 from a centre that repeats it",
    ...{ scenario: given(cups, false, "repeats it"), sentences: partnerGives, steps: taking }
  },
  {
    name: "CUPS 0800 from a centre that brings another key instead",
    ...{ scenario: given(cups, false, "brings another"), sentences: partnerGives, steps: taking }
  },
  {
    name: "CUPS 0800 from a centre that goes on with the key before until it is asked",
    ...{ scenario: given(cups, false, "says nothing"), sentences: partnerGives, steps: taking, isMute: true }
  },
  {
    name: "CUPS 0820 of ours, and the 0800 of the centre",
    scenario: given(cups, true, "repeats it"),
    sentences: partnerGives,
    steps: [
      ...["says 0820", "writes a note", "hears 0830 00", "hears 0800", "module: importKey", "module: makeMac"],
      ...["writes a note", "writes key mac/both taken", "says 0810 00"]
    ]
  },
  {
    name: "CUPS 0800 of ours",
    scenario: giving(cups, true),
    sentences: weGive,
    steps: [
      ...["module: generateKey", "writes key mac/both offered", "module: makeMac", "says 0800", "writes a note"],
      ...["hears 0810 00", "module: makeMac", "writes a note", "writes key mac/both taken"]
    ]
  },
  {
    name: "CUPS 0820 of the partner, and the 0800 of ours",
    scenario: giving(cups, false),
    sentences: weGive,
    steps: [
      ...["hears 0820", "says 0830 00", "module: generateKey", "writes key mac/both offered", "module: makeMac"],
      ...["says 0800", "writes a note", "hears 0810 00", "module: makeMac", "writes a note"],
      "writes key mac/both taken"
    ]
  },
  {
    name: "CUPS 0800 from a centre, with devices",
    ...{ scenario: given(cups, false, "repeats it", "devices"), sentences: partnerGives, steps: taking }
  },
  {
    name: "CUPS 0820 of ours, with devices",
    scenario: given(cups, true, "repeats it", "devices"),
    sentences: partnerGives,
    steps: [
      ...["says 0820", "writes a note", "hears 0830 00", "hears 0800", "module: importKey", "writes a note"],
      ...["module: makeMac", "writes key mac/both taken", "says 0810 00"]
    ]
  },
  {
    name: "CUPS 0800 of ours, with devices",
    scenario: giving(cups, true, "devices"),
    sentences: weGive,
    steps: [
      ...["module: generateKey", "writes key mac/both offered", "module: makeMac", "says 0800", "writes a note"],
      ...["hears 0810 00", "module: makeMac", "writes a note", "writes key mac/both taken"]
    ]
  },
  {
    name: "1993's 1804 of an acquirer",
    scenario: given(host, false, "repeats it"),
    sentences: partnerGives,
    steps: ["hears 1804", "module: importKey", "writes key pin/receive taken", "says 1814 800"]
  },
  {
    name: "1993's 1804 of an acquirer, with devices",
    scenario: given(host, false, "repeats it", "devices"),
    sentences: partnerGives,
    steps: ["hears 1804", "module: importKey", "writes key pin/receive taken", "says 1814 800"]
  },
  {
    name: "1993's 1804 of ours",
    scenario: giving(host, true),
    sentences: weGive,
    steps: [
      ...["module: generateKey", "writes key pin/send offered", "says 1804", "writes a note", "hears 1814 800"],
      ...["writes a note", "writes key pin/send taken"]
    ]
  },
  {
    name: "a key block in 0800",
    scenario: given(tr31, false, "repeats it"),
    sentences: partnerGives,
    steps: ["hears 0800", "module: importKey", "writes key pin/both taken", "says 0810 00"]
  },
  {
    name: "a key block that we ask for",
    scenario: given(tr31, true, "repeats it"),
    sentences: partnerGives,
    steps: [
      ...["says 0800", "writes a note", "hears 0810 00", "hears 0800", "module: importKey", "writes a note"],
      ...["writes key pin/both taken", "says 0810 00"]
    ]
  },
  {
    name: "a key block of ours",
    scenario: giving(tr31, true),
    sentences: weGive,
    steps: [
      ...["module: generateKey", "writes key pin/both offered", "says 0800", "writes a note", "hears 0810 00"],
      ...["writes a note", "writes key pin/both taken"]
    ]
  },
  {
    name: "a key block that the partner asks for",
    scenario: giving(tr31, false),
    sentences: weGive,
    steps: [
      ...["hears 0800", "says 0810 00", "module: generateKey", "writes key pin/both offered", "says 0800"],
      ...["writes a note", "hears 0810 00", "writes a note", "writes key pin/both taken"]
    ]
  },
  {
    name: "a terminal's sign-on of ours",
    scenario: signOn(true),
    sentences: weSignOn,
    steps: [
      ...["says 0800", "writes a note", "hears 0810 00", "module: importKey", "module: importKey", "writes a note"],
      "writes key pin/both taken, key mac/both taken"
    ]
  },
  {
    name: "the sign-on of a terminal",
    scenario: signOn(false),
    sentences: terminalSignsOn,
    steps: [
      ...["hears 0800", "module: generateKey", "module: generateKey"],
      ...["writes key pin/both taken, key mac/both taken", "says 0810 00"]
    ]
  }
]

/**
 * When it is killed at a step. One that has died after a step, and nothing else is done before the next one, has died before that
 * one: only the long form tries both.
 */
const whens = (step: string, isNextAtOnce: boolean): ReadonlyArray<When> => [
  "before",
  ...(step.startsWith("writes") ? (["unheard"] as const) : []),
  ...(isNextAtOnce && !isLong ? [] : (["after"] as const))
]

describe.each(rows)("A switch that is killed in $name", ({ isMute, scenario, sentences, steps }) => {
  const clean = throughKill(scenario)

  it("goes through these steps when it is not", async () => {
    const { findings, steps: all } = await clean

    expect(exchangeSteps(all).map(([, step]) => step)).toEqual(steps)
    expect(findings).toEqual([])
  })

  it.each(
    steps.map((step, n) => [`step ${n + 1}, ${step}`, sentences.find(([one]) => one.test(step))?.[1], n] as const)
  )("%s: %s", async (_, sentence, n) => {
    expect(sentence).toBeDefined()
    const all = exchangeSteps((await clean).steps)
    const [place, step] = all[n]!

    for (const when of whens(step, all[n + 1]?.[0] === place + 1)) {
      const { findings, unproved } = await throughKill(scenario, { step: place, when })

      expect(findings, when).toEqual([])
      if (isMute !== true) expect(unproved, when).toBe(0)
    }
  })
})

/**
 * The long form has the first kill at every step; otherwise it is at those after which the disk has something new. Behind any
 * other one the next life begins as the first one did, and what a kill does to that is tried above.
 */
const isKept = /writes key/

const twice = rows.filter(({ name }) =>
  ["CUPS 0820 of ours, and", "CUPS 0800 of ours", "a terminal's sign-on of"].some(
    (one) => name.startsWith(one) && !name.includes("devices")
  )
)

describe.each(twice)("A switch that is killed twice, in $name", ({ scenario, steps }) => {
  const clean = throughKill(scenario)
  let tried = 0

  it.each(
    steps.map((step, n) => [`step ${n + 1}, ${step}`, n] as const).filter(([step]) => isLong || isKept.test(step))
  )("%s, and then at each step of the next life", async (_, n) => {
    const [place, step] = exchangeSteps((await clean).steps)[n]!
    const first = { step: place, when: step.startsWith("writes") ? "unheard" : "after" } as const
    const { again } = await throughKill(scenario, first)

    for (const [at, next] of exchangeSteps(again))
      for (const when of next.startsWith("writes") ? (["before", "unheard"] as const) : (["before"] as const)) {
        const { findings } = await throughKill(scenario, first, { step: at, when })
        tried++
        expect(findings, `${when} ${next}`).toEqual([])
      }
  })

  it("was killed a second time often enough to show something", () => {
    expect(tried).toBeGreaterThan(steps.length)
  })
})
