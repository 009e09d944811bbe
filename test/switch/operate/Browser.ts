/** A real browser in front of the console. Where there is none, its tests say so and are skipped. */
import { existsSync, mkdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, beforeAll } from "vitest"
import { configuration, folder, type RunningSwitch, runSwitchIn } from "./program.ts"

const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync)

/** Whether there is no browser here, and what the titles say then. */
export const isMissing = program === undefined
export const needs = isMissing ? " (skipped: no Chromium here; `apt-get install chromium`)" : ""

/** Tokens of users with the roles view and operate. */
export const viewer = "v".repeat(40)
export const operator = "o".repeat(40)

/** A configuration with the console and these two users. */
export const withConsole = (text: string) =>
  text.replace(
    "requestTimeout:",
    `admin: { listen: { port: 0 }, users: [
      { name: berta, role: view, token: { env: JINKA_VIEWER } },
      { name: anna, role: operate, token: { env: JINKA_OPERATOR } } ] }
requestTimeout:`
  )

/** A running switch with the console; `changes`: to its configuration besides. */
export const start = (changes: (text: string) => string = (text) => text): Promise<RunningSwitch> =>
  runSwitchIn(
    { JINKA_VIEWER: viewer, JINKA_OPERATOR: operator },
    configuration(folder(), (text) => withConsole(changes(text)))
  )

/** Where the pictures of the documents are; made anew with JINKA_PICTURES=1. */
const pictures = fileURLToPath(new URL("../../../docs/operate/pictures/", import.meta.url))

/** A picture of the page for the documents. */
export const picture = async (page: Page, name: string): Promise<void> => {
  if (process.env["JINKA_PICTURES"] !== "1") return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: `${pictures}${name}.png` })
}

/** Pages that a test has left: the next one goes on in them. A new page is a process, which takes longer than many a test. */
const free: Array<Page> = []

/** The browser of a file of tests. */
export const useBrowser = (): (() => Browser) => {
  let browser: Browser
  beforeAll(async () => {
    if (program === undefined) return
    const flags = [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-sync"
    ]
    browser = await chromium.launch({ executablePath: program, args: flags })
  })
  afterAll(async () => {
    free.length = 0
    await browser?.close()
  })
  return () => browser
}

/** Leaves a page: nobody is signed on in it any more, and it has forgotten what it knew. */
export const leave = async (page: Page): Promise<void> => {
  page.removeAllListeners()
  await page.unrouteAll()
  await page.context().clearCookies()
  await page.evaluate("localStorage.clear()")
  free.push(page)
}

/** A page that is signed on; what goes wrong in it is an error of the test. */
export const open = async (
  browser: Browser,
  { ready }: RunningSwitch,
  token: string
): Promise<{ page: Page; wrong: Array<string> }> => {
  const viewport = { width: 1100, height: 800 }
  const page = free.pop() ?? (await browser.newPage({ viewport, locale: "en" }))
  await page.setViewportSize(viewport)
  const wrong: Array<string> = []
  page.on("pageerror", ({ message }) => wrong.push(message))
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("401")) wrong.push(message.text())
  })
  await page.goto(`http://127.0.0.1:${ready.admin!.port}/`)
  await page.getByLabel("Token").fill(token)
  await page.getByRole("button", { name: "Log in" }).click()
  await page.getByRole("button", { name: "Links", exact: true }).waitFor()
  return { page, wrong }
}

/** Does what a dialog asks about; gives what came of it, and closes the dialog when it is done. */
export const because = async (page: Page, reason: string): Promise<string> => {
  await page.getByLabel("Reason, for the journal").fill(reason)
  await page.getByRole("button", { name: "Do it" }).click()
  const told = page.locator("dialog [role=alert]:not(:empty)")
  const said = (await told.textContent()) ?? ""
  if ((await told.getAttribute("class")) !== "error") await page.keyboard.press("Escape")
  return said
}
