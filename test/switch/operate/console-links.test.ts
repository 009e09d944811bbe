/** What the console does to a link, each act with its refusal: in 中文, on a telephone, by the keyboard alone. */
import type { Page } from "playwright-core"
import { afterEach, describe, expect, it } from "vitest"
import { isMissing, needs, operator, start, useBrowser } from "./Browser.ts"
import { answerTo, Line, text, until } from "./Line.ts"
import { cleanUp } from "./program.ts"

const browser = useBrowser()
afterEach(cleanUp)

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

describe.skipIf(isMissing)(`The acts on a link in the console${needs}`, () => {
  it("are echo, sign-off, sign-on, cut and a new attempt, each done with a reason, told of, and refused with one", async () => {
    const running = await start()
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await until(async () => (await running.status()).links.every(({ ready }) => ready), "both links are ready")
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
