/** The console in trouble: the switch killed and back, a session that ended, a wrong reason, several currencies, a keyboard. */
import type { Page } from "playwright-core"
import { afterEach, describe, expect, it } from "vitest"
import { because, isMissing, leave, needs, open, operator, start, useBrowser, viewer, withConsole } from "./Browser.ts"
import { answerTo, Line, until } from "./Line.ts"
import { cleanUp, configuration, folder, type RunningSwitch, runSwitchProcessIn } from "./program.ts"
import { freePort } from "./reloading.ts"
import { purchase } from "./swiped.ts"

const browser = useBrowser()
afterEach(cleanUp)

const go = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click()

const told = (page: Page) => page.locator("dialog [role=alert]:not(:empty)")

/** The header's sentence, once it is the wanted one. */
const hears = (page: Page, text: string) => page.locator("#told").getByText(text).waitFor()

describe.skipIf(isMissing)(`The console in trouble${needs}`, () => {
  it("says that a killed switch has not answered an act, shows what it has as old, and asks for a token when it is back", async () => {
    const port = await freePort()
    const env = { JINKA_VIEWER: viewer, JINKA_OPERATOR: operator }
    const file = configuration(folder(), (text) =>
      withConsole(text).replace("listen: { port: 0 }", `listen: { port: ${port} }`)
    )
    const begin = (): Promise<RunningSwitch> => runSwitchProcessIn(env, file)
    const first = await begin()
    const { page, wrong } = await open(browser(), first, operator)
    await page.getByLabel("Acts issuer").selectOption("block")
    first.signal("SIGKILL")
    await first.ended

    const unknown = await because(page, "night work")
    const isReady = await page.getByRole("button", { name: "Do it" }).isEnabled()
    await page.keyboard.press("Escape")
    await hears(page, "No connection to the switch")
    const isOld = await page.locator("main[data-stale]").count()
    await go(page, "In doubt")
    const second = await begin()
    await page.getByLabel("Token").waitFor()
    await hears(page, "The session has ended.")
    await page.getByLabel("Token").fill(operator)
    await page.keyboard.press("Enter")
    await page.getByText("Nothing waits for a person.").waitFor()
    const isNew = await page.locator("main:not([data-stale])").count()
    await page.getByRole("button", { name: "Log out" }).click()
    await second.stop()
    await page.getByLabel("Token").fill(operator)
    await page.keyboard.press("Enter")
    await page.locator("form [role=alert]").getByText("No connection to the switch").waitFor()
    await leave(page)

    expect(unknown).toBe("The switch has not answered: whether it was done, the audit says.")
    expect(isReady).toBe(true)
    expect([isOld, isNew]).toEqual([1, 1])
    expect(wrong.filter((text) => !/ERR_(CONNECTION|INCOMPLETE|EMPTY)/.test(text))).toEqual([])
  })

  it("ends an act with its session, and says that it was not done", async () => {
    const running = await start()
    const { page } = await open(browser(), running, operator)
    await page.getByLabel("Acts issuer").selectOption("block")
    // Another page of the same browser logs out.
    await page.evaluate('fetch("/session/end", { method: "POST" }).then(() => undefined)')
    await page.getByLabel("Reason, for the journal").fill("night work")
    await page.getByRole("button", { name: "Do it" }).click()
    await hears(page, "what you asked for was not done")
    const isOpen = await page.locator("dialog[open]").count()
    await page.getByLabel("Token").fill(operator)
    await page.keyboard.press("Enter")
    await page.getByLabel("Acts issuer").waitFor()
    await leave(page)
    const { links } = await running.status()
    await running.stop()

    expect(isOpen).toBe(0)
    expect(links.some(({ blocked }) => blocked)).toBe(false)
  })

  it("takes no reason that the journal cannot keep, says so in the reader's language, and makes one line of several", async () => {
    const running = await start()
    const page = await browser().newPage({ locale: "zh-CN" })
    await page.goto(`http://127.0.0.1:${running.ready.admin!.port}/`)
    await page.getByLabel("令牌").fill(operator)
    await page.keyboard.press("Enter")
    const said: Array<string> = []
    await page.getByLabel("操作 issuer").selectOption("block")
    const reason = page.getByLabel("原因（写入日志库）")
    for (const text of ["对方已恢复", "card 6200000000000005", "   "]) {
      await reason.fill(text)
      await page.getByRole("button", { name: "执行" }).click()
      said.push((await told(page).textContent())!)
    }
    await reason.fill("first line\nsecond line ")
    await page.getByRole("button", { name: "执行" }).click()
    await page.locator("dialog [role=alert]:not(.error):not(:empty)").waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("button", { name: "操作审计" }).click()
    await page.getByText("first line second line").waitFor()
    await page.getByRole("button", { name: "交易追踪" }).click()
    const stan = page.getByLabel("流水号 (DE 11)")
    const wrongs: Array<string> = []
    for (const text of ["１２３", "12a", "   "]) {
      await stan.fill(text)
      await page.getByRole("button", { name: "查询" }).click()
      wrongs.push((await page.locator("main [role=alert]").textContent())!)
    }
    await page.close()
    await running.stop()

    const wrongKey = "流水号为 1 至 12 位半角数字，检索参考号为 1 至 12 个半角字符。"
    expect(wrongs).toEqual([wrongKey, wrongKey, "请输入流水号或检索参考号。"])
    expect(new Set(said)).toEqual(new Set(["原因须为 1 至 120 个英文字符，不得有连续 8 位数字。"]))
  })

  it("shows totals in each currency's own units", async () => {
    const running = await start()
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await until(async () => (await running.status()).links.every(({ ready }) => ready), "both links are ready")
    const amounts: ReadonlyArray<readonly [string, string]> = [
      ["156", "000000012300"],
      ["392", "000000012301"],
      ["414", "000000012302"]
    ]
    for (const [at, [currency, amount]] of amounts.entries()) {
      const asked = purchase(at + 1)
      acquirer.send({ ...asked, fields: { ...asked.fields, 4: amount, 49: currency } })
      issuer.send(answerTo(await issuer.next()))
      await acquirer.next()
    }
    const { page, wrong } = await open(browser(), running, viewer)
    // In 中文 fields, codes and the life of a transaction are Chinese, too.
    await go(page, "中文")
    await go(page, "交易追踪")
    await page.getByLabel("流水号 (DE 11)").fill("1")
    await page.keyboard.press("Enter")
    await page.getByText("接受来自 acquirer 的请求 0200，发往 issuer").waitFor()
    const words = await page.locator("main").textContent()
    await go(page, "English")
    await go(page, "Business day")
    const rows = page.locator("tr").filter({ hasText: "acquirer" }).filter({ hasText: "0200" })
    await rows.nth(2).waitFor()
    const shown = await rows.allInnerTexts()
    await leave(page)
    acquirer.close()
    issuer.close()
    await running.stop()

    expect(words).toMatch(/主账号.*issuer 应答 00（/s)
    const cells = shown.map((row) => row.split("\t"))
    expect(cells.map((row) => [row[5], row[6]])).toEqual([
      ["156", "1 · 123.00"],
      ["392", "1 · 12,301"],
      ["414", "1 · 12.302"]
    ])
    expect(wrong).toEqual([])
  })

  it("acts on no arrow of a closed menu, leaves the keyboard where it was, and goes back with the browser", async () => {
    const running = await start()
    const { page, wrong } = await open(browser(), running, operator)
    const menu = page.getByLabel("Acts issuer")
    await menu.focus()
    for (const key of ["ArrowDown", "c"]) {
      await page.keyboard.press(key)
      await page.keyboard.press("Escape")
    }
    const opened = await page.locator("dialog[open]").count()
    const value = await menu.inputValue()
    await menu.selectOption("block")
    await because(page, "night work")
    await page.locator("dialog[open]").waitFor({ state: "detached" })
    const focused = "document.activeElement.closest('tr')?.dataset.link"
    await until(async () => (await page.evaluate(focused)) === "issuer", "the keyboard is at the link's menu")
    await go(page, "Alarms")
    await page.goBack()
    await page.locator('[data-page="links"][aria-current="page"]').waitFor()
    await leave(page)
    await running.stop()

    expect([opened, value]).toEqual([0, ""])
    expect(wrong).toEqual([])
  })
})
