/** The console: signs on, listens to the switch, shows one page at a time, and carries out what a person wants done. */
import { forget, ratesOf, remember } from "./charts.js"
import { bookmark, element } from "./elements.js"
import { doubtPage, linksPage, ratesPage } from "./pages.js"
import { alarmsPage, auditPage, dayPage, keysPage } from "./records.js"
import { tracePage } from "./search.js"
import { learn, says } from "./sentences.js"
import { isChinese, language, otherLanguage, word } from "./words.js"

const at = (id) => document.getElementById(id)
const pages = {
  links: linksPage,
  rates: ratesPage,
  doubt: doubtPage,
  trace: tracePage,
  keys: keysPage,
  day: dayPage,
  alarms: alarmsPage,
  audit: auditPage
}
/** What a page asks for, where not every switch has it. */
const needs = { day: "/api/totals" }

let page = Object.hasOwn(pages, location.hash.slice(1)) ? location.hash.slice(1) : "links"
let update = () => {}
let before
/** Whether a person has done something since the last beat: the page asks for its records again. */
let isActed = false
let events
/** Whether the page waits for somebody to log in. */
let isOut = false

/** Asks the switch; a body makes it a POST. What it refuses comes back as `{ error }`, and that it does not answer, too. */
const ask = async (path, body) => {
  const how =
    body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
  let answer
  try {
    answer = await fetch(path, { ...how, credentials: "same-origin" })
  } catch {
    return { error: word(body === undefined ? "lost" : "noAnswer") }
  }
  if (answer.status === 401) {
    // Whoever is typing a token already is not disturbed.
    if (!isOut) signOn(word(body === undefined ? "ended" : "endedUndone"))
    return { error: word("ended") }
  }
  try {
    return await answer.json()
  } catch {
    return { error: `HTTP ${answer.status}` }
  }
}

/** What came of an act, in words. */
const outcome = ({ did, outcomes, says: came }) =>
  did ??
  came ??
  outcomes
    ?.map((one) =>
      Object.values(one)
        .filter((part) => typeof part === "string")
        .join(" ")
    )
    .join("; ") ??
  "✓"

/** What the journal takes for a reason; the switch judges anew. */
const isReason = (text) => /^[ -~]{1,120}$/.test(text) && !/\d{8}/.test(text)

/** Closes the dialog of the act before; a dialog that was opened meanwhile stays. */
let closing

/** Asks a person for the reason, does it, and says what came of it. `more`: what the act needs besides; `choice`: what he says of it. */
const act = (title, path, more = {}, choice = undefined) => {
  const dialog = at("ask")
  const goBack = bookmark(document.activeElement)
  clearTimeout(closing)
  const go = element("button", { type: "submit" }, word("doIt"))
  const reason = element("textarea", { id: "reason", maxlength: "120", required: true })
  const told = element("p", { role: "alert" })
  const done = async (event) => {
    event.preventDefault()
    // Whoever presses twice means it once.
    if (go.disabled) return
    // A line that was broken while typing is one line for the journal.
    const because = reason.value.trim().replace(/\s+/g, " ")
    if (!isReason(because)) {
      told.className = "error"
      told.textContent = word("whyWrong")
      return reason.focus()
    }
    go.disabled = true
    // A drain may take half a minute.
    go.textContent = word("doing")
    const chosen = choice === undefined ? {} : { [choice.input.name]: choice.value() }
    const answer = await ask(path, { ...more, ...chosen, reason: because })
    told.className = answer.error === undefined ? "" : "error"
    told.textContent = says(answer.error ?? outcome(answer))
    isActed = true
    go.textContent = word("doIt")
    go.disabled = answer.error === undefined
    if (answer.error === undefined) closing = setTimeout(() => dialog.close(), 1500)
  }
  dialog.replaceChildren(
    element(
      "form",
      { onsubmit: done },
      element("h2", { id: "ask-title" }, title),
      ...(choice === undefined ? [] : [element("label", {}, choice.label, choice.input)]),
      element("label", { for: "reason" }, word("why"), reason, element("span", { class: "soft" }, word("whyHint"))),
      told,
      element(
        "div",
        { class: "row" },
        element("button", { type: "button", onclick: () => dialog.close() }, word("cancel")),
        go
      )
    )
  )
  dialog.addEventListener("close", goBack, { once: true })
  dialog.showModal()
  reason.focus()
}

const hands = {
  ask,
  act: (link, what) => act(`${link}: ${word(what)}`, `/api/links/${encodeURIComponent(link)}/${what}`),
  settle: (what, { exchange, link, mti, stan }) =>
    act(`${word(`pending-${what}`)} ${exchange}: ${link} ${mti} ${stan}`, `/api/pending/${exchange}/${what}`),
  moveDay: (link, what, day) => {
    const input = element("input", { type: "date", name: "to", value: day, max: "9999-12-31", required: true })
    const choice = { label: word("toDay"), input, value: () => input.value }
    act(`${link}: ${word(what)}`, `/api/days/${encodeURIComponent(link)}/${what}`, {}, choice)
  },
  askKey: (link, purpose) =>
    act(`${link}: ${word("askKey")} ${purpose}`, `/api/keys/${encodeURIComponent(link)}/ask`, { purpose }),
  silence: ({ kind, link }) => {
    const input = element(
      "select",
      { name: "minutes" },
      ...[30, 240, 1440].map((minutes) => element("option", { value: minutes }, word(`minutes${minutes}`)))
    )
    act(
      `${word("silence")}: ${word(`alarm-${kind}`)} ${link}`,
      `/api/alarms/${kind}/silence`,
      link === "" ? {} : { link },
      { label: word("silenceFor"), input, value: () => Number(input.value) }
    )
  },
  unsilence: ({ kind, link }) =>
    act(
      `${word("unsilence")}: ${word(`alarm-${kind}`)} ${link}`,
      `/api/alarms/${kind}/unsilence`,
      link === "" ? {} : { link }
    ),
  retireKey: (link, purpose, direction) =>
    act(`${link}: ${word("retireKey")} ${purpose}/${direction}`, `/api/keys/${encodeURIComponent(link)}/retire`, {
      purpose,
      direction
    })
}

const show = (name) => {
  page = name
  location.hash = name
  forget()
  for (const tab of at("tabs").children) {
    if (tab.dataset.page === name) tab.setAttribute("aria-current", "page")
    else tab.removeAttribute("aria-current")
  }
  const place = element("div", {})
  at("main").replaceChildren(
    element("h2", {}, word(name)),
    element("p", { class: "soft hint" }, word(`${name}-hint`)),
    place
  )
  update = pages[name](place, hands)
  if (before !== undefined) update(before, new Map())
}

const say = (text, isBad) => {
  at("told").textContent = text
  at("told").toggleAttribute("data-bad", isBad)
  // What is shown is as old as the last beat.
  at("main").toggleAttribute("data-stale", isBad && !isOut)
}

const hear = ({ data }) => {
  const arrived = performance.now()
  const beat = JSON.parse(data)
  const rates = ratesOf(beat, before)
  remember(beat, before, rates)
  before = beat
  at("name").textContent = beat.diskTrouble === "" ? "" : `! ${says(beat.diskTrouble)}`
  say(
    `${word("live")} · ${new Date(beat.at).toLocaleTimeString(language())} · ${beat.who.name} (${beat.who.role})`,
    false
  )
  const isAnew = isActed
  isActed = false
  update(beat, rates, isAnew)
  performance.measure("beat", { start: arrived })
}

const listen = () => {
  if (isOut) return
  events?.close()
  events = new EventSource("/api/events")
  events.addEventListener("message", hear)
  events.addEventListener("error", async () => {
    say(word("lost"), true)
    if (events.readyState !== EventSource.CLOSED) return
    // Refused, not cut off: the session has ended, which the answer says; or the switch is not ready to be looked at.
    await ask("/api/status")
    if (!isOut) setTimeout(listen, 3000)
  })
}

const begin = async () => {
  const { error, paths } = await ask("/openapi.json")
  if (error !== undefined) return isOut ? undefined : signOn(error)
  isOut = false
  if (isChinese()) learn(await ask("names.json"))
  const there = Object.keys(pages).filter((name) => needs[name] === undefined || Object.hasOwn(paths, needs[name]))
  if (!there.includes(page)) page = "links"
  at("leave").hidden = false
  const tabs = there.map((name, index) =>
    element(
      "button",
      { type: "button", "data-page": name, accesskey: String(index + 1), onclick: () => show(name) },
      word(name)
    )
  )
  at("tabs").replaceChildren(...tabs)
  show(page)
  listen()
}

const signOn = (why = "") => {
  isOut = true
  events?.close()
  at("ask").close()
  at("leave").hidden = true
  at("tabs").replaceChildren()
  update = () => {}
  say(why, why !== "")
  const token = element("input", { type: "password", id: "token", autocomplete: "current-password", required: true })
  const told = element("p", { class: "error", role: "alert" })
  const enter = async (event) => {
    event.preventDefault()
    const headers = { authorization: `Bearer ${token.value.trim()}` }
    const status = await fetch("/session", { method: "POST", headers }).then(
      (answer) => answer.status,
      () => 0
    )
    token.value = ""
    if (status >= 200 && status < 300) return begin()
    told.textContent = status === 401 ? word("wrongToken") : status === 0 ? word("lost") : `HTTP ${status}`
    token.focus()
  }
  at("main").replaceChildren(
    element(
      "form",
      { class: "search", onsubmit: enter },
      element("label", { for: "token" }, word("token"), token, element("span", { class: "soft" }, word("tokenHint"))),
      element("button", { type: "submit" }, word("enter")),
      told
    )
  )
  token.focus()
}

const speak = () => {
  document.documentElement.lang = language()
  at("language").textContent = word("language")
  for (const one of document.querySelectorAll("[data-word]")) one.textContent = word(one.dataset.word)
}

at("language").addEventListener("click", () => {
  otherLanguage()
  speak()
  if (!at("leave").hidden) begin()
  else signOn()
})
at("leave").addEventListener("click", async () => {
  await ask("/session/end", {})
  signOn()
})
// Back and forward of the browser.
addEventListener("hashchange", () => {
  const name = location.hash.slice(1)
  if (!isOut && name !== page && Object.hasOwn(pages, name)) show(name)
})
speak()
// A session of before, or a certificate, needs no token.
const status = await fetch("/api/status")
if (status.ok) begin()
else signOn()
