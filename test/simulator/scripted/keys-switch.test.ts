/**
 * Partners of files that exchange keys with the shipped switch, over TCP: one gives its key, the other one is given one; and one
 * sends purchases to the other meanwhile.
 */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { check } from "../../../packages/simulator/src/checker/Checker.ts"
import { readEvidence } from "../../../packages/simulator/src/checker/EvidenceFiles.ts"
import { cleanUp as cleanUpSwitch, configuration, folder, jinka, runSwitchIn } from "../../switch/operate/program.ts"
import { head, plansOf } from "./Bench.ts"
import { cleanUp, type Started, start, until } from "./Sockets.ts"

afterEach(async () => {
  await cleanUp()
  cleanUpSwitch()
})

const storage = { JINKA_STORAGE_KEY: createHash("sha256").update("the storage key of these tests").digest("hex") }
const kek = "3889D6265E54CDD3F8139DC454203146"
const mask = Buffer.from("0d2c4b6a8907a6c5e4f3021120314253", "hex")

const secured = (directory: string): string =>
  configuration(directory, (text) => {
    const listen = "listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }"
    const mac = "\n    mac: { algorithm: ansi-x9.19 }\n    pin: { format: iso0 }"
    return text
      .replace(
        "requestTimeout: 20 seconds",
        "security:\n  software: { storageKey: { env: JINKA_STORAGE_KEY }, allowTestKeys: true }\nrequestTimeout: 30 seconds"
      )
      .replace(listen, `${listen}${mac}\n    keys: { giver: partner, first: wait }`)
      .replace(`${listen}\n    storeAndForward`, `${listen}${mac}\n    keys: { giver: us }\n    storeAndForward`)
  })

/** Two persons bring the key-encryption key of a link. */
const bring = async (file: string, link: string): Promise<void> => {
  const one = Buffer.from(Buffer.from(kek, "hex").map((byte, at) => byte ^ mask[at]!))
  for (const [component, by, bytes] of [
    ["1", "Li", one],
    ["2", "Wang", mask]
  ] as const) {
    const args = ["key", "import", file, link, "--purpose", "kek", "--of", "2", "--component", component, "--by", by]
    expect(await jinka(args, { input: bytes.toString("hex") })).toMatchObject({ code: 0, err: "" })
  }
}

/** The check values of a link's keys, as the switch lists them. */
const listed = async (file: string, link: string): Promise<ReadonlyArray<string>> => {
  const { keys } = JSON.parse((await jinka(["key", "list", file, "--json"])).out) as {
    keys: ReadonlyArray<{ link: string; slot: string; current: { checkValue: string } | null }>
  }
  return keys
    .filter((one) => one.link === link && !one.slot.startsWith("kek") && one.current !== null)
    .map(({ current, slot }) => `${slot.split("/")[0]} ${current!.checkValue}`)
    .sort()
}

describe("partners and the shipped switch", () => {
  it("have common keys: given at the connection, given on a schedule, asked for, refused where they are wrong", async () => {
    const file = secured(folder())
    const running = await runSwitchIn(storage, file)
    await bring(file, "acquirer")
    await bring(file, "issuer")
    const partner = (name: string, institution: string, exchange: string, more: string) =>
      plansOf(
        head("cups", more)
          .replace("partner: issuer", `partner: ${name}\ninstitution: "${institution}"\nsign-on: { send: yes }`)
          .replace(/link:.*/, `link: { connect: "127.0.0.1:${running.port(name)}" }`)
          .concat(`key exchange: { kek: ${kek}, kinds: [mac, pin], ${exchange} }\n`)
      )[0]!
    const sends = `sends: { rate: 40/s, count: 80, cards: ["6212341234567890123"], pin: "1234" }\nhistory: ${folder()}/a.jsonl\n`
    const books = `accounts: { others: { pin: "1234" } }\nhistory: ${folder()}/b.jsonl\nledger: ${folder()}/c.jsonl\n`
    const wrong = "schedule:\n  - { send: key, purpose: mac, after: 1500ms, key: wrong mac }\n"
    const keys = (name: string) =>
      lines().flatMap((line) => (line.partner === name && line.what === "key" ? [line.reason!] : []))
    const used = (name: string) => keys(name).filter((says) => says.includes("is in use")).length
    const second = await start([partner("issuer", "01020000", "giver: far side, at sign-on: yes", books)])
    const lines = () => [...second.lines, ...(first?.lines ?? [])]
    let first: Started | undefined
    await until("the issuer's keys", () => used("issuer") >= 2, 30_000)
    await until("the issuer's link", () => second.lines.some(({ what }) => what === "signedOn"), 30_000)
    first = await start([partner("acquirer", "48020000", "giver: us, at sign-on: yes", wrong + sends)])
    const [acquirer] = first.partners.all()
    const [issuer] = second.partners.all()
    await until("the acquirer's keys", () => used("acquirer") >= 2, 30_000)

    expect(await listed(file, "acquirer")).toEqual([...acquirer!.totals().checkValues].sort())
    await until("the wrong key", () => keys("acquirer").some((says) => says.includes("was answered A0")), 30_000)
    expect(await listed(file, "acquirer")).toEqual([...acquirer!.totals().checkValues].sort())

    const before = issuer!.totals().checkValues
    const asked = await jinka(["key", "ask", file, "issuer", "--purpose", "mac", "--reason", "once a year"])
    expect(asked).toMatchObject({ code: 0 })
    expect(issuer!.totals().checkValues).not.toEqual(before)
    await until("its answer", () => issuer!.totals().keyTroubles === 0)
    expect(await listed(file, "issuer")).toEqual([...issuer!.totals().checkValues].sort())
    await until("all purchases", () => acquirer!.totals().sentApproved === 80, 20_000)
    expect(acquirer!.totals()).toMatchObject({ notSent: 0, sentDeclined: 0, sentUnknown: 0 })
    await Effect.runPromise(first.partners.finish)
    await Effect.runPromise(second.partners.finish)
    const { history, ledger } = issuer!.plan()
    const files = { acquirer: [acquirer!.plan().history!], issuer: [history!], ledger: [ledger!] }
    expect(check(await Effect.runPromise(readEvidence(files))).findings).toEqual([])
    await running.stop()
  })
})
