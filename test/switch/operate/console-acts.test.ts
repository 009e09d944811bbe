/**
 * The pages of the console in front of an operator: each with one look, each act with its refusal. And what it does to a link:
 * in 中文, on a telephone, by the keyboard alone.
 */
import type { Page } from "playwright-core"
import { afterEach, describe, expect, it } from "vitest"
import { because, isMissing, leave, needs, open, operator, picture, start, useBrowser, viewer } from "./Browser.ts"
import { answerTo, Line, text, until } from "./Line.ts"
import { cleanUp, hasty, type RunningSwitch } from "./program.ts"
import { pan, purchase } from "./swiped.ts"

const browser = useBrowser()
afterEach(cleanUp)

const both = async (running: RunningSwitch) => {
  const acquirer = await Line.connect(running.port("acquirer"))
  const issuer = await Line.connect(running.port("issuer"))
  await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
  return { acquirer, issuer }
}

const go = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click()

/** A telephone's page in Chinese, with whoever has this token. */
const opened = async (port: number, token: string): Promise<{ page: Page; wrong: Array<string> }> => {
  const page = await browser().newPage({ viewport: { width: 390, height: 760 }, locale: "zh-CN" })
  const wrong: Array<string> = []
  page.on("pageerror", ({ message }) => wrong.push(message))
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.getByLabel("令牌").fill(token)
  await page.keyboard.press("Enter")
  await page.locator('tr[data-link="issuer"]').waitFor()
  return { page, wrong }
}

const pageNames = ["Links", "Rates", "In doubt", "Trace", "Business day", "Alarms", "Audit", "Keys"]

describe.skipIf(isMissing)(`Operators in front of the console${needs}`, () => {
  it("hold, let go, try and close messages with a reason, and hear why not when somebody was faster", async () => {
    const running = await start((text) =>
      hasty(text).replace(
        /storeAndForward: .*/,
        "storeAndForward: { timeout: 60 seconds, retry: 1 hours, attempts: 2 }"
      )
    )
    const { acquirer, issuer } = await both(running)
    acquirer.send(purchase(8))
    await issuer.next()
    await acquirer.next()
    // The reversal cannot be taken now: it rests for an hour.
    issuer.send(answerTo(await issuer.next(), "96"))
    const { page, wrong } = await open(browser(), running, operator)
    await go(page, "In doubt")
    const row = page.locator("tr[data-exchange]")
    await row.getByText("resting").waitFor()
    const act = async (what: string, reason: string) => {
      await row.getByRole("button", { name: what }).click()
      return because(page, reason)
    }
    const exchange = await row.getAttribute("data-exchange")

    await row.getByRole("button", { name: "Hold" }).click()
    const first = await page.evaluate<number>(`fetch("/api/pending/${exchange}/hold", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ reason: "I was faster" })
    }).then(({ status }) => status)`)
    const tooLate = await because(page, "the partner asked")
    await go(page, "Cancel")
    await row.getByText("held", { exact: true }).waitFor()
    const shown = [await page.content()]
    await act("Release", "agreed")
    await row.getByText("resting").waitFor()
    await act("Retry now", "the partner is back")
    issuer.send(answerTo(await issuer.next(), "57"))
    await row.getByText("declined").waitFor()
    shown.push(await page.content())
    await picture(page, "doubt")
    const digits = await act("Close", `card ${pan}`)
    await page.getByLabel("Reason, for the journal").fill("issuer has reversed by hand, case 12")
    await page.getByRole("button", { name: "Do it" }).click()
    await page.getByText("Nothing waits for a person.").waitFor()
    await leave(page)
    const { inDoubt } = await running.status()
    await running.stop()

    expect(first).toBe(200)
    expect(tooLate).toContain("is held back already")
    expect(digits).toContain("no run of 8 digits")
    expect(inDoubt).toBe(0)
    expect(shown.filter((text) => text.includes(pan))).toEqual([])
    expect(wrong.filter((text) => !/40[09]/.test(text))).toEqual([])
  })

  it("send an abandoned message once more and hear why not, drain a link and bring it back, each with its refusal", async () => {
    const running = await start((text) =>
      text
        .replace("requestTimeout: 20 seconds", "requestTimeout: 2 seconds")
        .replace(/storeAndForward: .*/, "storeAndForward: { timeout: 5 seconds, retry: 1 seconds, attempts: 1 }")
    )
    const { acquirer, issuer } = await both(running)
    for (const stan of [8, 9]) {
      acquirer.send(purchase(stan))
      await issuer.next()
    }
    for (let n = 0; n < 2; n++) await acquirer.next()
    for (let n = 0; n < 2; n++) await issuer.next()
    await until(async () => (await running.status()).inDoubt === 2, "two are in doubt")
    const { page, wrong } = await open(browser(), running, operator)
    await go(page, "In doubt")
    const rows = page.locator("tr[data-exchange]")
    await rows.getByText("abandoned").nth(1).waitFor()

    const first = await rows.nth(0).getAttribute("data-exchange")
    await rows.nth(0).getByRole("button", { name: "Retry now" }).click()
    const wanted = await page.getByLabel("Reason, for the journal").getAttribute("required")
    await page.evaluate<number>(`fetch("/api/pending/${first}/close", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ reason: "I was faster (by phone)" })
    }).then(({ status }) => status)`)
    const settled = await because(page, "once more")
    await go(page, "Cancel")
    await page.locator(`tr[data-exchange="${first}"]`).waitFor({ state: "detached" })
    await rows.getByRole("button", { name: "Retry now" }).click()
    await because(page, "issuer is back (case 12)")
    const repeat = await issuer.next()
    issuer.send(answerTo(repeat, "00"))
    await page.getByText("Nothing waits for a person.").waitFor()

    await go(page, "Links")
    const act = async (what: string, reason: string) => {
      await page.getByLabel("Acts issuer").selectOption(what)
      return because(page, reason)
    }
    const posted: Array<string> = []
    page.on("request", (request) => request.method() === "POST" && posted.push(request.url()))
    await page.getByLabel("Acts issuer").selectOption("echo")
    await page.getByLabel("Reason, for the journal").fill("pressed twice")
    await page.getByRole("button", { name: "Do it" }).dblclick()
    issuer.send(answerTo(await issuer.next(), "00"))
    await page.locator("dialog [role=alert]:not(:empty)").waitFor()
    const pressed = posted.length
    await page.keyboard.press("Escape")
    await act("drain", "issuer moves its machine")
    const link = page.locator('tr[data-link="issuer"]')
    await link.getByText("down, drained").waitFor()
    const refused = await act("sign-on", "too early")
    await go(page, "Cancel")
    await act("unblock", "issuer has moved")
    await link.getByText("✕ down", { exact: true }).waitFor()
    await page.getByLabel("Acts issuer").locator("option", { hasText: "Block" }).waitFor({ state: "attached" })
    await go(page, "Audit")
    await page.locator("tr[data-seq]").first().waitFor()
    const audited = (await page.locator("tr[data-seq]").allTextContents()).join("\n")
    await leave(page)
    await running.stop()

    expect(wanted).not.toBeNull()
    expect(repeat.mti).toBe("0421")
    expect(pressed).toBe(1)
    expect(settled).toContain("is not being delivered")
    expect(refused).not.toBe("")
    for (const part of [
      "I was faster (by phone)",
      "issuer is back (case 12)",
      "issuer moves its machine",
      "issuer has moved",
      "too early"
    ]) {
      expect(audited).toContain(part)
    }
    expect(wrong.filter((text) => !/40[09]/.test(text))).toEqual([])
  })

  it("move a partner's business day with a reason, hear why it stays, and a viewer moves nothing", async () => {
    const running = await start((text) =>
      text.replace("storeAndForward:", "businessDay: { cutOver: accept }\n    storeAndForward:")
    )
    await both(running)
    const { page, wrong } = await open(browser(), running, operator)
    // The switch's time stands still for this page: it asks for what an act has changed, and not because it is time to.
    await page.evaluate("{ const parse = JSON.parse; JSON.parse = (text) => ({ ...parse(text), at: 0 }) }")
    await go(page, "Business day")
    const row = page.locator('tr[data-day="issuer"]')
    await row.getByText("not known yet").waitFor()
    const move = async (what: string, to: string, reason: string) => {
      await row.getByRole("button", { name: what }).click()
      await page.getByLabel("The new business day").fill(to)
      return because(page, reason)
    }

    await move("Cut over", "2026-11-28", "its 0800 did not come, case 7")
    await row.getByText("2026-11-28").waitFor()
    const back = await move("Cut over", "2026-11-27", "a mistake")
    await picture(page, "cut-over")
    await go(page, "Cancel")
    await move("Correct", "2026-11-27", "agreed with the partner")
    await row.getByText("2026-11-27").waitFor()
    await leave(page)
    const other = await open(browser(), running, viewer)
    await go(other.page, "Business day")
    const theirs = other.page.locator('tr[data-day="issuer"] button')
    await theirs.first().waitFor()
    const disabled = [await theirs.nth(0).isDisabled(), await theirs.nth(1).isDisabled()]
    const forced = await other.page.evaluate<number>(`fetch("/api/days/issuer/cut-over", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ to: "2026-12-01", reason: "no" })
    }).then(({ status }) => status)`)
    await leave(other.page)
    await running.stop()

    expect(back).toContain("The business day of issuer stays")
    expect([disabled, forced]).toEqual([[true, true], 403])
    expect(running.err()).toContain("operator anna: day cut-over to 2026-11-28 (its 0800 did not come, case 7)")
    expect([...wrong, ...other.wrong].filter((text) => !/40[39]/.test(text))).toEqual([])
  })

  it("see both sides of each message with every change and its reason, and why an answer found no request", async () => {
    const running = await start()
    const { acquirer, issuer } = await both(running)
    acquirer.send(purchase(7))
    const request = await issuer.next()
    issuer.send(answerTo(request, "00"))
    await acquirer.next()
    const stranger = answerTo(request, "00")
    issuer.send({ ...stranger, fields: { ...stranger.fields, 11: "000099" } })
    const { page, wrong } = await open(browser(), running, operator)
    await go(page, "Trace")
    await page.getByRole("button", { name: "Find" }).click()
    const unasked = await page.locator("main .error").textContent()
    await page.getByLabel("STAN (DE 11)").fill("424242")
    await page.getByRole("button", { name: "Find" }).click()
    await page.getByText("No exchange matches.").waitFor()
    await page.getByLabel("STAN (DE 11)").fill("7")
    await page.getByRole("button", { name: "Find" }).click()

    const sides = page.locator('[data-change="request"]')
    await sides.locator("tr.changed").first().waitFor()
    const changed = await sides.locator("tr.changed").allTextContents()
    const heads = await sides.locator("th").allTextContents()
    await sides.locator("summary").click()
    const bytes = await sides.locator("pre").allTextContents()
    await sides.scrollIntoViewIfNeeded()
    await picture(page, "both-sides")
    const shown = [await page.content()]
    await page.getByLabel("STAN (DE 11)").fill("")
    await page.getByRole("button", { name: "Why no request?" }).click()
    await page.getByText("The nearest request is exchange").first().waitFor()
    const differing = await page.locator("main tr.changed").allTextContents()
    shown.push(await page.content())
    await picture(page, "why")
    await leave(page)
    await running.stop()

    expect(unasked).toBe("Enter a STAN or an RRN.")
    expect(heads).toEqual(["Field", "Name", "As it came", "As it left", "Why it was changed"])
    expect(changed.join("\n")).toContain("the header names us")
    expect(changed.every((text) => text.startsWith("≠ "))).toBe(true)
    expect(bytes.length).toBe(2)
    expect(bytes[0]).toMatch(/^[0-9a-f]{2} /)
    expect(differing.join("\n")).toContain("000099")
    const hex = Buffer.from(pan).toString("hex").match(/../g)!.join(" ")
    expect(shown.filter((text) => text.includes(pan) || text.includes(hex))).toEqual([])
    expect(running.err()).toContain("operator anna: why the last answers")
    expect(wrong).toEqual([])
  })

  it("find one look on every page: its name, what it shows, an empty state, and a failure that says what is wrong", async () => {
    const running = await start()
    const { page, wrong } = await open(browser(), running, operator)
    await page.locator('tr[data-link="issuer"]').waitFor()
    const looks: Array<{ name: string; head: string | null; hint: boolean; narrow: number }> = []
    await page.setViewportSize({ width: 390, height: 760 })
    for (const name of pageNames) {
      await go(page, name)
      await page.locator("main h2").waitFor()
      const narrow = await page.evaluate<number>(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
      )
      const hint = (await page.locator("main .hint").first().textContent()) !== ""
      looks.push({ name, head: await page.locator("main h2").textContent(), hint, narrow })
    }
    await page.setViewportSize({ width: 1100, height: 800 })
    await go(page, "In doubt")
    await page.locator("main .empty").nth(1).waitFor()

    await page.route(/\/api\/(pending|alarms|audit|keys|totals|status|trace|why)/, (route) =>
      route.fulfill({ status: 503, json: { error: "the journal cannot be read now" } })
    )
    const failing: Array<string | null> = []
    for (const name of ["In doubt", "Alarms", "Audit", "Keys", "Business day"]) {
      await go(page, "Links")
      await go(page, name)
      failing.push(await page.locator("main .error").first().textContent())
    }
    await go(page, "Trace")
    await page.getByRole("button", { name: "Why no request?" }).click()
    failing.push(await page.locator("main .error").textContent())
    await leave(page)
    await running.stop()

    expect(looks).toEqual(pageNames.map((name) => ({ name, head: name, hint: true, narrow: 0 })))
    expect(failing).toEqual(failing.map(() => "the journal cannot be read now"))
    expect(wrong.filter((text) => !text.includes("503"))).toEqual([])
  })

  it("keep the keyboard where it was while a page is brought up to date", async () => {
    const running = await start((text) =>
      text.replace("requestTimeout:", "alarms: { linkDown: 1 seconds }\nrequestTimeout:")
    )
    const { page, wrong } = await open(browser(), running, operator)
    await go(page, "Alarms")
    const silence = page.locator('tr[data-alarm="linkDown issuer"]').getByRole("button", { name: "Silence" })
    await silence.focus()
    await page.evaluate(`new Promise((resolve) => {
      let renewed = 0
      new MutationObserver(() => ++renewed === 3 && resolve()).observe(document.querySelector("main > div > div"), {
        childList: true
      })
    })`)
    const focused = await page.evaluate<string>("document.activeElement.closest('tr')?.dataset.alarm ?? ''")
    await page.keyboard.press("Enter")
    await page.getByLabel("Reason, for the journal").waitFor()
    await leave(page)
    await running.stop()

    expect(focused).toBe("linkDown issuer")
    expect(wrong).toEqual([])
  })
})

describe.skipIf(isMissing)(`The acts on a link in the console${needs}`, () => {
  it("are echo, sign-off, sign-on, cut and a new attempt, each done with a reason, told of, and refused with one", async () => {
    const running = await start()
    const { acquirer, issuer } = await both(running)
    const { page, wrong } = await opened(running.ready.admin!.port, operator)
    const row = page.locator('tr[data-link="issuer"]')
    const menu = page.getByLabel("操作 issuer")
    /** Chooses, gives the reason and sends it; the keyboard does all of it. */
    const act = async (what: string, reason: string, meanwhile: () => Promise<void> = async () => {}) => {
      await menu.selectOption(what)
      await page.keyboard.type(reason)
      await page.keyboard.press("Tab")
      await page.keyboard.press("Tab")
      await page.keyboard.press("Enter")
      await meanwhile()
      const told = page.locator("dialog [role=alert]")
      await until(async () => (await told.textContent()) !== "", "the dialog says what came of it")
      const [title, says] = [await page.locator("#ask-title").textContent(), await told.textContent()]
      const isError = (await told.getAttribute("class")) === "error"
      await page.keyboard.press("Escape")
      await page.locator("dialog[open]").waitFor({ state: "detached" })
      return { title, says, isError }
    }
    const answered = async (code = "00") => {
      const asked = await issuer.next()
      issuer.send(answerTo(asked, code))
      managed.push(text(asked, 70))
    }
    const managed: Array<string> = []

    const echo = await act("echo", "asked by the partner", answered)
    const off = await act("sign-off", "issuer repairs", answered)
    await row.getByText("已签退").waitFor()
    const echoOff = await act("echo", "is it there", answered)
    const refused = await act("sign-on", "too early", () => answered("91"))
    const on = await act("sign-on", "issuer is back", answered)
    await row.getByText("就绪").waitFor()
    const cut = await act("cut", "it hangs")
    await issuer.ended
    const cutTwice = await act("cut", "once more")
    const retry = await act("retry", "is it up")
    const overflow = await page.evaluate<number>(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    await page.close()
    acquirer.close()
    await running.stop()

    expect(managed).toEqual(["301", "002", "301", "001", "001"])
    expect([echo, off, echoOff, on, cut].filter(({ isError }) => isError)).toEqual([])
    expect([refused, retry].map(({ isError }) => isError)).toEqual([true, true])
    expect(echo.title).toBe("issuer: 线路测试")
    expect(off.says).toContain("00")
    expect(refused.says).toContain("91")
    for (const { says } of [cutTwice, retry]) expect(says).not.toBe("")
    for (const why of [
      "asked by the partner",
      "issuer repairs",
      "too early",
      "issuer is back",
      "it hangs",
      "once more"
    ])
      expect(running.err()).toContain(why)
    expect(overflow).toBeLessThanOrEqual(0)
    expect(wrong).toEqual([])
  })
})
