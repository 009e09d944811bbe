/** The console in a real browser. Where there is none, the tests say so and are skipped. */
import { existsSync, mkdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { answerTo, Line } from "./Line.ts"
import { cleanUp, configuration, folder, type RunningSwitch, runSwitchIn } from "./program.ts"
import { pan, purchase } from "./swiped.ts"

const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync)
const viewer = "v".repeat(40)
const operator = "o".repeat(40)

const withConsole = (text: string) =>
  text.replace(
    "requestTimeout:",
    `admin: { listen: { port: 0 }, users: [
      { name: berta, role: view, token: { env: JINKA_VIEWER } },
      { name: anna, role: operate, token: { env: JINKA_OPERATOR } } ] }
requestTimeout:`
  )

const start = (): Promise<RunningSwitch> =>
  runSwitchIn({ JINKA_VIEWER: viewer, JINKA_OPERATOR: operator }, configuration(folder(), withConsole))

/** Where the pictures of the documents are; made anew with JINKA_PICTURES=1. */
const pictures = fileURLToPath(new URL("../../../docs/operate/pictures/", import.meta.url))

const picture = async (page: Page, name: string): Promise<void> => {
  if (process.env["JINKA_PICTURES"] !== "1") return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: `${pictures}${name}.png` })
}

let browser: Browser
beforeAll(async () => {
  if (program === undefined) return
  const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
  browser = await chromium.launch({ executablePath: program, args: flags })
})
afterAll(() => browser?.close())
afterEach(cleanUp)

/** A page that is signed on; what goes wrong in it is an error of the test. */
const open = async ({ ready }: RunningSwitch, token: string): Promise<{ page: Page; wrong: Array<string> }> => {
  const page = await browser.newPage({ viewport: { width: 1100, height: 800 }, locale: "en" })
  const wrong: Array<string> = []
  page.on("pageerror", ({ message }) => wrong.push(message))
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("401")) wrong.push(message.text())
  })
  await page.goto(`http://127.0.0.1:${ready.admin!.port}/`)
  await page.getByLabel("Token").fill(token)
  await page.getByRole("button", { name: "Sign on" }).click()
  await page.getByRole("button", { name: "Links", exact: true }).waitFor()
  return { page, wrong }
}

const needs = program === undefined ? " (skipped: no Chromium here; `apt-get install chromium`)" : ""

describe.skipIf(program === undefined)(`The console in the browser${needs}`, () => {
  it("shows links, rates, doubt and a transaction as they are, without card data, and acts with a reason", async () => {
    const running = await start()
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    while ((await running.status()).links.some(({ ready }) => !ready));
    acquirer.send(purchase(7))
    issuer.send(answerTo(await issuer.next(), "00"))
    await acquirer.next()
    const { page, wrong } = await open(running, operator)

    await page.locator('tr[data-link="issuer"] .state.good').waitFor()
    await page.locator('tr[data-link="issuer"] td', { hasText: "100.0 %" }).waitFor()
    const seen = [await page.content()]
    await picture(page, "links")
    await page.getByLabel("Acts issuer").selectOption("block")
    await page.getByLabel("Reason, for the journal").fill("issuer asked, case 12")
    await page.getByRole("button", { name: "Do it" }).click()
    await page.locator('tr[data-link="issuer"] .state.idle').waitFor()
    await page.getByRole("button", { name: "Rates" }).click()
    await page.locator("figure canvas").nth(3).waitFor()
    await picture(page, "rates")
    await page.getByRole("button", { name: "In doubt" }).click()
    await page.getByText("Nothing waits for a person.").waitFor()
    await page.getByRole("button", { name: "Trace" }).click()
    await page.getByLabel("STAN (F11)").fill("7")
    await page.getByRole("button", { name: "Find" }).click()
    await page.getByText("answered · issuer").waitFor()
    seen.push(await page.content())
    await picture(page, "trace")
    await page.getByRole("button", { name: "中文" }).click()
    await page.getByRole("button", { name: "线路", exact: true }).click()
    await page.getByText("就绪").first().waitFor()
    await picture(page, "links-zh")
    const { links } = await running.status()
    await page.getByRole("button", { name: "退出" }).click()
    await page.getByLabel("令牌").waitFor()
    const after = await page.evaluate(async () => (await fetch("/api/status")).status)
    await running.stop()

    expect(links.find(({ name }) => name === "issuer")?.blocked).toBe(true)
    expect(running.err()).toContain("operator anna: block (issuer asked, case 12)")
    expect(seen.filter((text) => text.includes(pan))).toEqual([])
    expect(after).toBe(401)
    expect(wrong).toEqual([])
  })

  it("lets a viewer do nothing, refuses a wrong token, and a request that another page sends with the session", async () => {
    const running = await start()
    const { page } = await open(running, viewer)
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
    const foreign = await browser.newPage()
    await foreign.goto(`http://127.0.0.1:${running.ready.admin!.port}/`)
    await foreign.getByLabel("Token").fill("x".repeat(40))
    await foreign.getByRole("button", { name: "Sign on" }).click()
    await foreign.getByText("This token is nobody's.").waitFor()
    await running.stop()

    expect([isDisabled, forced, plain]).toEqual([true, 403, 401])
  })

  it("fits a telephone, and can be used with the keyboard alone", async () => {
    const running = await start()
    const { page, wrong } = await open(running, operator)
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
    await page.getByLabel("STAN (F11)").waitFor()
    await page.close()
    await running.stop()

    expect(overflow).toBeLessThanOrEqual(0)
    expect(first).not.toBe("")
    expect(wrong).toEqual([])
  })
})
