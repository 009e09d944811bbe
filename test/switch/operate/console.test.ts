/** The console in a real browser. Where there is none, the tests say so and are skipped. */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { afterEach, describe, expect, it } from "vitest"
import { initial, phrase } from "../../../packages/switch/src/link/LinkState.ts"
import { alarmKinds } from "../../../packages/switch/src/operate/alarm/Conditions.ts"
import { fullWords } from "../../../packages/switch/src/operate/FullWords.ts"
import { keyOf } from "../core/Guarded.ts"
import {
  because,
  isMissing,
  leave,
  needs,
  open,
  operator,
  picture,
  start,
  useBrowser,
  viewer,
  withConsole
} from "./Browser.ts"
import { answerTo, Line, until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitchIn } from "./program.ts"
import { pan, purchase } from "./swiped.ts"

const keeper = "k".repeat(40)
/** The check value of the one key that is brought; the key itself is a published vector. */
const brought = "zak-a"

const browser = useBrowser()
afterEach(cleanUp)

describe("The words of the console", () => {
  it("are there in both languages for every alarm", () => {
    const words = readFileSync(new URL("../../../packages/switch/console/words.js", import.meta.url), "utf8")

    for (const kind of alarmKinds) expect(words).toMatch(new RegExp(`"alarm-${kind}": \\["[^"]+", "[^"]+"\\]`))
  })

  it("are there in both languages for every state of a link, and for whatever keeps requests out", () => {
    const words = readFileSync(new URL("../../../packages/switch/console/words.js", import.meta.url), "utf8")
    const signOns = ["none", "missing", "optional", "done", "off"] as const
    const phases = ["DOWN", "OKAY", "SUSPECT", "REOPEN"] as const
    const truths = [false, true]
    const states = new Set(["listening", "unreachable"])
    for (const connected of truths)
      for (const ours of signOns)
        for (const partners of signOns)
          for (const watchdog of phases)
            for (const lacks of ["", "module", "key"] as const)
              for (const [collecting, draining, blocked] of [[], [true], [false, true], [false, false, true]])
                states.add(
                  phrase({
                    ...initial,
                    connected,
                    ours,
                    partners,
                    watchdog,
                    lacks,
                    collecting: collecting === true,
                    draining: draining === true,
                    blocked: blocked === true
                  })
                )

    const wanted = [...states, ...Object.keys(fullWords).map((by) => `full-${by}`)]
    expect(wanted.length).toBeGreaterThan(15)
    expect(wanted.filter((one) => !new RegExp(`^ {2}"?${one}"?: \\["[^"]+", "[^"]+"\\]`, "m").test(words))).toEqual([])
  })

  it("are there for every key that a page asks for, in both languages", async () => {
    const place = new URL("../../../packages/switch/console/", import.meta.url)
    const words = readFileSync(new URL("words.js", place), "utf8")
    const known = new Set(
      [...words.matchAll(/^ {2}"?([A-Za-z0-9 -]+)"?: \[\s*"[^"]+",\s*"[^"]+"\s*\]/gm)].map(([, key]) => key)
    )
    const files = readdirSync(place).filter((name) => name.endsWith(".js") && name !== "words.js")
    const texts = files.map((name) => readFileSync(new URL(name, place), "utf8")).join("\n")
    const asked = [...texts.matchAll(/\bword\("([^"]+)"\)/g)].map(([, key]) => key)
    const heads = [...texts.matchAll(/^\s*\[?\["([A-Za-z]+)"(?:, "[a-z ]+")?\],?/gm)].map(([, key]) => key)
    const more = [...texts.matchAll(/\[\["([A-Za-z]+)"\](?:, \["([A-Za-z]+)"(?:, "[a-z ]+")?\])*/g)].flatMap(([all]) =>
      [...all.matchAll(/\["([A-Za-z]+)"/g)].map(([, key]) => key)
    )

    expect(asked.length).toBeGreaterThan(40)
    expect([...new Set([...asked, ...heads, ...more])].filter((key) => !known.has(key!))).toEqual([])
  })
})

describe.skipIf(isMissing)(`The console in the browser${needs}`, () => {
  it("shows links, rates, doubt and a transaction as they are, without card data, and acts with a reason", async () => {
    const running = await start()
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
    acquirer.send(purchase(7))
    issuer.send(answerTo(await issuer.next(), "00"))
    await acquirer.next()
    const { page, wrong } = await open(browser(), running, operator)

    await page.locator('tr[data-link="issuer"] .state.good').waitFor()
    await page.locator('tr[data-link="issuer"] td', { hasText: "100.0 %" }).waitFor()
    const seen = [await page.content()]
    await picture(page, "links")
    await page.getByLabel("Acts issuer").selectOption("block")
    await because(page, "issuer asked, case 12")
    await page.locator('tr[data-link="issuer"] .state.idle').waitFor()
    await page.getByRole("button", { name: "Rates" }).click()
    await page.locator("figure canvas").nth(3).waitFor()
    await picture(page, "rates")
    await page.getByRole("button", { name: "In doubt" }).click()
    await page.getByText("Nothing waits for a person.").waitFor()
    await page.getByRole("button", { name: "Trace" }).click()
    await page.getByLabel("STAN (DE 11)").fill("7")
    await page.getByRole("button", { name: "Find" }).click()
    await page.getByText("answered · issuer").waitFor()
    seen.push(await page.content())
    await page.locator('[data-change="request"]').waitFor()
    await picture(page, "trace")
    await page.getByRole("button", { name: "Business day" }).click()
    await page.locator("main td", { hasText: "1 · 10.00" }).first().waitFor()
    seen.push(await page.content())
    await picture(page, "day")
    await page.getByRole("button", { name: "中文" }).click()
    await page.getByRole("button", { name: "链路", exact: true }).click()
    await page.getByText("就绪").first().waitFor()
    await picture(page, "links-zh")
    const { links } = await running.status()
    await page.getByRole("button", { name: "退出" }).click()
    await page.getByLabel("令牌").waitFor()
    const after = await page.evaluate(async () => (await fetch("/api/status")).status)
    await leave(page)
    await running.stop()

    expect(links.find(({ name }) => name === "issuer")?.blocked).toBe(true)
    expect(running.err()).toContain("operator anna: block (issuer asked, case 12)")
    expect(seen.filter((text) => text.includes(pan))).toEqual([])
    expect(after).toBe(401)
    expect(wrong).toEqual([])
  })

  it("lets a viewer do nothing, refuses a wrong token, and a request that another page sends with the session", async () => {
    const running = await start()
    const { page } = await open(browser(), running, viewer)
    await page.locator('tr[data-link="issuer"]').waitFor()

    const isDisabled = await page.getByLabel("Acts issuer").isDisabled()
    const [forced, plain] = await page.evaluate(async () => {
      const body = JSON.stringify({ reason: "no" })
      const json = { "content-type": "application/json" }
      const forced = await fetch("/api/links/issuer/block", { method: "POST", headers: json, body })
      const plain = await fetch("/api/links/issuer/block", {
        method: "POST",
        headers: { "content-type": "text/plain" },
        body
      })
      return [forced.status, plain.status]
    })
    const foreign = await browser().newPage()
    await foreign.goto(`http://127.0.0.1:${running.ready.admin!.port}/`)
    await foreign.getByLabel("Token").fill("x".repeat(40))
    await foreign.getByRole("button", { name: "Log in" }).click()
    await foreign.getByText("No user has this token.").waitFor()
    await foreign.close()
    await leave(page)
    await running.stop()

    expect([isDisabled, forced, plain]).toEqual([true, 403, 401])
  })

  it("fits a telephone, and can be used with the keyboard alone", async () => {
    const running = await start()
    const { page, wrong } = await open(browser(), running, operator)
    await page.setViewportSize({ width: 390, height: 760 })
    await page.locator('tr[data-link="issuer"]').waitFor()

    const overflow = await page.evaluate<number>(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    await picture(page, "narrow")
    await page.keyboard.press("Tab")
    const first = await page.evaluate<string>("document.activeElement.textContent")
    for (let presses = 0; presses < 12; presses++) {
      if ((await page.evaluate<string>("document.activeElement.dataset.page")) === "trace") break
      await page.keyboard.press("Tab")
    }
    await page.keyboard.press("Enter")
    await page.getByLabel("STAN (DE 11)").waitFor()
    await leave(page)
    await running.stop()

    expect(overflow).toBeLessThanOrEqual(0)
    expect(first).not.toBe("")
    expect(wrong).toEqual([])
  })

  it("shows keys by their check values, alarms and what persons did, and refuses who may not act, and what the partner does not do", async () => {
    const directory = folder()
    const file = configuration(directory, (text) =>
      withConsole(text)
        .replace(
          "JINKA_OPERATOR } } ] }",
          "JINKA_OPERATOR } },\n      { name: carl, role: keys, token: { env: JINKA_KEEPER } } ] }"
        )
        .replace(
          "requestTimeout:",
          "alarms: { linkDown: 1 seconds }\nsecurity: { software: { storageKey: { env: JINKA_STORAGE_KEY }, allowTestKeys: true } }\nrequestTimeout:"
        )
        .replace("from: [127.0.0.1] }", "from: [127.0.0.1] }\n    mac: { algorithm: ansi-x9.19 }")
    )
    const running = await runSwitchIn(
      {
        JINKA_VIEWER: viewer,
        JINKA_OPERATOR: operator,
        JINKA_KEEPER: keeper,
        JINKA_STORAGE_KEY: createHash("sha256").update("the storage key of this test").digest("hex")
      },
      file
    )
    const imported = ["key", "import", file, "acquirer", "--purpose", "mac", "--of", "2"]
    const mask = Buffer.alloc(16, 0x5a)
    for (const [component, by, bytes] of [
      ["1", "Li", Buffer.from(keyOf(brought).map((byte, at) => byte ^ mask[at]!))],
      ["2", "Wang", mask]
    ] as const) {
      const { code } = await jinka([...imported, "--component", component, "--by", by], {
        input: bytes.toString("hex")
      })
      expect(code).toBe(0)
    }
    const { page, wrong } = await open(browser(), running, keeper)

    await page.getByRole("button", { name: "Keys", exact: true }).click()
    const slot = page.locator('tr[data-slot^="acquirer mac"]')
    const checkValue = await slot.locator("code").first().textContent()
    const said = [await page.content()]
    await picture(page, "keys")
    await slot.getByRole("button", { name: "New key" }).click()
    const refusal = await because(page, "monthly change")
    await page.getByRole("button", { name: "Cancel" }).click()
    await slot.getByRole("button", { name: "Destroy" }).click()
    await because(page, "compromised at the partner")
    await slot.locator("td", { hasText: "–" }).first().waitFor()

    await page.getByRole("button", { name: "Alarms" }).click()
    await page.locator('tr[data-alarm="linkDown issuer"]').waitFor()
    const down = page.locator('tr[data-alarm="linkDown issuer"]')
    await down.getByRole("button", { name: "Silence" }).click()
    await page.getByLabel("For how long").selectOption("30")
    await because(page, "planned work until 4")
    await down.getByText("silenced").waitFor()
    await page.locator('tr[data-silence="linkDown issuer"]', { hasText: "planned work until 4" }).waitFor()
    said.push(await page.content())
    await picture(page, "alarms")
    await page.getByRole("button", { name: "End the silence" }).click()
    await because(page, "done")
    await down.getByRole("button", { name: "Silence" }).waitFor()
    await page.getByRole("button", { name: "Audit" }).click()
    await page.locator("tr[data-seq]", { hasText: "compromised at the partner" }).first().waitFor()
    const audited = await page.locator("tr[data-seq]").allTextContents()
    said.push(await page.content())
    await picture(page, "audit")
    await leave(page)

    const other = await open(browser(), running, operator)
    await other.page.getByRole("button", { name: "Keys", exact: true }).click()
    await other.page.locator('tr[data-slot^="acquirer mac"]').waitFor()
    const buttons = other.page.locator('tr[data-slot^="acquirer mac"] button')
    const disabled = [await buttons.nth(0).isDisabled(), await buttons.nth(1).isDisabled()]
    const forced = await other.page.evaluate(async () => {
      const how = { method: "POST", headers: { "content-type": "application/json" } }
      const body = JSON.stringify({ purpose: "mac", direction: "both", reason: "no" })
      return (await fetch("/api/keys/acquirer/retire", { ...how, body })).status
    })
    await other.page.setViewportSize({ width: 390, height: 760 })
    const widths: Array<number> = []
    for (const name of ["Keys", "Alarms", "Audit"]) {
      await other.page.getByRole("button", { name, exact: true }).click()
      await other.page.locator("main table").first().waitFor()
      widths.push(
        await other.page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth")
      )
    }
    await other.page.getByRole("button", { name: "中文" }).click()
    await other.page.getByText("来自日志库的人工操作记录").waitFor()
    await leave(other.page)
    await running.stop()

    expect(checkValue).toMatch(/^[0-9A-F]{6,10}$/)
    expect(refusal).not.toBe("")
    expect(audited).toContainEqual(expect.stringMatching(/Li.*Wang.*key mac/))
    expect(audited).toContainEqual(expect.stringMatching(/carl.*compromised at the partner/))
    const hex = Buffer.from(keyOf(brought)).toString("hex")
    expect(said.filter((text) => text.toLowerCase().includes(hex))).toEqual([])
    expect([disabled, forced]).toEqual([[true, true], 403])
    expect(Math.max(...widths)).toBeLessThanOrEqual(0)
    expect([...wrong, ...other.wrong].filter((text) => !/40[39]/.test(text))).toEqual([])
  })

  it("shows two hundred links, and changes nothing of a row that is as it was", async () => {
    const many = Array.from(
      { length: 200 },
      (_, n) =>
        `  - { name: l${n}, institution: "7${String(n).padStart(7, "0")}", dialect: cups, listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] } }\n`
    ).join("")
    const file = configuration(folder(), (text) => withConsole(text).replace("routes:", `${many}routes:`))
    const running = await runSwitchIn({ JINKA_VIEWER: viewer, JINKA_OPERATOR: operator }, file)
    const { page, wrong } = await open(browser(), running, viewer)
    await page.locator('tr[data-link="l199"]').waitFor()
    const beats = process.env["JINKA_PICTURES"] === "1" ? 6 : 3

    const seen = await page.evaluate<{
      changed: number
      beats: number
      work: ReadonlyArray<number>
      frames: ReadonlyArray<number>
    }>(`
      new Promise((resolve) => {
        let changed = 0
        new MutationObserver((all) => {
          changed += all.filter(({ target }) => target.closest?.("tr[data-link]") === null).length
        }).observe(document.querySelector("tbody"), { childList: true })
        const frames = []
        let last = performance.now()
        const frame = (now) => {
          frames.push(now - last)
          last = now
          const work = performance.getEntriesByName("beat").map(({ duration }) => duration)
          if (work.length < ${beats}) return requestAnimationFrame(frame)
          resolve({ changed, beats: work.length, work, frames })
        }
        requestAnimationFrame(frame)
      })
    `)
    const rows = await page.locator("tr[data-link]").count()
    await leave(page)
    await running.stop()

    // The figures of docs/operate/console.md.
    if (process.env["JINKA_PICTURES"] === "1") {
      const sorted = (all: ReadonlyArray<number>) => [...all].sort((one, other) => one - other)
      const at = (all: ReadonlyArray<number>, share: number) =>
        sorted(all)[Math.floor((all.length - 1) * share)]!.toFixed(1)
      const shown = (all: ReadonlyArray<number>) => `p50 ${at(all, 0.5)} p99 ${at(all, 0.99)} max ${at(all, 1)} ms`
      console.log(`200 links: work of a beat ${shown(seen.work.slice(1))}; frames ${shown(seen.frames)}`)
    }
    expect([rows, seen.changed, seen.beats]).toEqual([202, 0, beats])
    expect(wrong).toEqual([])
  })
})
