/** The pages of the console: each makes its part of the document once, and brings it up to date with a beat. */
import { chart } from "./charts.js"
import { draw, kindOf } from "./picture.js"
import { duration, short, word } from "./words.js"

/** An element with attributes and children; texts are texts and never HTML. */
export const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value)
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value)
  }
  made.append(...children)
  return made
}

const button = (text, act, more = {}) => element("button", { type: "button", onclick: act, ...more }, text)

const table = (heads, rows) =>
  element(
    "div",
    { class: "scroll" },
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element("tr", {}, ...heads.map(([key, kind = ""]) => element("th", { class: kind, scope: "col" }, word(key))))
      ),
      element("tbody", {}, ...rows)
    )
  )

const cell = (text, kind = "") => element("td", { class: kind }, text)

const card = (key, value, isBad = false) =>
  element("div", { class: isBad ? "card bad" : "card" }, element("b", {}, value), word(key))

const share = (answers) => {
  const all = Object.values(answers).reduce((sum, count) => sum + count, 0)
  const good = (answers["00"] ?? 0) + (answers["000"] ?? 0)
  return all === 0 ? "–" : `${((100 * good) / all).toFixed(1)} %`
}

const heads = [
  ["link"],
  ["state"],
  ["acts"],
  ["since", "wide"],
  ["heard", "wide"],
  ["inward", "number"],
  ["outward", "number"],
  ["outstanding", "number"],
  ["stored", "number"],
  ["timeouts", "number"],
  ["approved", "number wide"],
  ["partnerTime", "number wide"],
  ["ourTime", "number wide"],
  ["lastEnd", "wide"]
]

const linkRow = (link, rate, { act, role }) => {
  const { kind, sign } = kindOf(link)
  const mayAct = role !== "view"
  const some = link.blocked ? ["unblock"] : ["block", "echo"]
  const menu = element(
    "select",
    { "aria-label": `${word("acts")} ${link.name}`, disabled: !mayAct },
    element("option", { value: "" }, "…")
  )
  for (const one of [...some, "sign-on", "sign-off", "cut", "retry", "drain"])
    menu.append(element("option", { value: one }, word(one)))
  menu.addEventListener("change", () => {
    const chosen = menu.value
    menu.value = ""
    if (chosen !== "") act(link.name, chosen)
  })
  const end = link.end === null ? "" : `${link.end.by} ${link.end.how}: ${link.end.why}`
  return element(
    "tr",
    { "data-link": link.name },
    element("td", {}, link.name, element("div", { class: "soft" }, link.institution)),
    cell(`${sign} ${word(link.state)}`, `state ${kind}`),
    element("td", {}, menu),
    cell(duration(link.sinceMs), "wide"),
    cell(duration(link.heardMs), "wide"),
    cell(short(rate?.in ?? 0), "number"),
    cell(short(rate?.out ?? 0), "number"),
    cell(`${link.outstanding} / ${link.window}`, "number"),
    cell(`${link.stored}${link.doubt > 0 ? ` !${link.doubt}` : ""}`, link.doubt > 0 ? "number state bad" : "number"),
    cell(String(link.timeouts), "number"),
    cell(share(link.answersIn), "number wide"),
    cell(`${short(link.partner.p99)} ms`, "number wide"),
    cell(`${short(link.ours.p99)} ms`, "number wide"),
    cell(end.slice(0, 80), "wide soft")
  )
}

/** Links: the picture, and a table of all. */
export const linksPage = (main, hands) => {
  const cards = element("div", { class: "cards" })
  const picture = element("div", { id: "picture" })
  const list = element("div", {})
  main.replaceChildren(cards, picture, list)
  let shown = ""
  return (beat, rates) => {
    const ready = beat.links.filter((link) => link.ready).length
    cards.replaceChildren(
      card("ready", `${ready} / ${beat.links.length}`, ready < beat.links.length),
      card("doubt", String(beat.inDoubt), beat.inDoubt > 0),
      card("unwritten", `${short(beat.unwritten.bytes / 1024)} KiB`, beat.fullBy !== null),
      card("loop", `${short(beat.loopMs)} ms`),
      card("memory", `${short(beat.memory / 1_048_576)} MiB`),
      ...(beat.defects > 0 ? [card("defects", String(beat.defects), true)] : []),
      ...(beat.fullBy === null ? [] : [card("full", beat.fullBy, true)])
    )
    // A picture of hundreds of wires says nothing; the table does.
    if (beat.links.length <= 60) draw(picture, beat.links, rates)
    // Whoever chooses in a menu is not disturbed.
    if (list.contains(document.activeElement) && document.activeElement.tagName === "SELECT") return
    const rows = beat.links.map((link) => linkRow(link, rates.get(link.name), { ...hands, role: beat.who.role }))
    const form = beat.links.map(({ name }) => name).join()
    if (form === shown) list.querySelector("tbody").replaceChildren(...rows)
    else list.replaceChildren(table(heads, rows))
    shown = form
  }
}

/** Rates: the charts of one link, or of all. */
export const ratesPage = (main) => {
  const choice = element("select", { "aria-label": word("link") }, element("option", { value: "" }, word("all")))
  const charts = element("div", { class: "charts" })
  main.replaceChildren(element("p", {}, choice), charts)
  return (beat) => {
    for (const { name } of beat.links) {
      if (![...choice.options].some(({ value }) => value === name))
        choice.append(element("option", { value: name }, name))
    }
    chart(charts, choice.value)
  }
}

const doubtful = new Set(["abandoned", "declined", "unreversed"])

/** In doubt: what a person has to close, and what the switch is still delivering. */
export const doubtPage = (main, { ask, close }) => {
  const place = element("div", {})
  main.replaceChildren(place)
  let askedAt = 0
  return async (beat) => {
    if (beat.at - askedAt < 3000) return
    askedAt = beat.at
    const { messages } = await ask("/api/pending")
    const row = (one) =>
      element(
        "tr",
        { "data-exchange": one.exchange },
        cell(String(one.exchange), "number"),
        cell(one.link),
        cell(`${one.mti} ${one.stan}`),
        cell(word(one.state), doubtful.has(one.state) ? "state bad" : ""),
        cell(one.code),
        cell(String(one.attempts), "number"),
        cell(duration(beat.at - one.at)),
        element(
          "td",
          {},
          doubtful.has(one.state) ? button(word("close"), () => close(one), { disabled: beat.who.role === "view" }) : ""
        )
      )
    const columns = [
      ["exchange", "number"],
      ["link"],
      ["message"],
      ["state"],
      ["code"],
      ["attempts", "number"],
      ["since"],
      ["acts"]
    ]
    const open = messages.filter(({ state }) => doubtful.has(state))
    const rest = messages.filter(({ state }) => !doubtful.has(state))
    place.replaceChildren(
      element("h2", {}, word("doubt")),
      open.length === 0 ? element("p", {}, word("nothingInDoubt")) : table(columns, open.map(row)),
      element("h2", {}, word("deliveredBySwitch")),
      rest.length === 0 ? element("p", { class: "soft" }, word("none")) : table(columns, rest.slice(0, 200).map(row))
    )
  }
}

const side = (entry, other) => {
  const theirs = new Map((other?.fields ?? []).map((field) => [field.id, field.value]))
  return element(
    "section",
    {},
    element("h2", {}, `${entry.kind} · ${entry.link} · ${entry.at.slice(11, 23)} (+${Math.round(entry.sinceMs)} ms)`),
    element("p", { class: "soft" }, entry.says),
    ...(entry.fields.length === 0
      ? []
      : [
          element(
            "div",
            { class: "scroll" },
            element(
              "table",
              {},
              ...entry.fields.map(({ id, meaning, name, value }) =>
                element(
                  "tr",
                  { class: other !== undefined && theirs.has(id) && theirs.get(id) !== value ? "changed" : undefined },
                  cell(id === "mti" ? "MTI" : id),
                  cell(name),
                  element("td", {}, value, meaning === "" ? "" : element("div", { class: "soft" }, meaning))
                )
              )
            )
          )
        ])
  )
}

/** Trace: the life of a transaction, its messages side by side. */
export const tracePage = (main, { ask }) => {
  const found = element("div", {})
  const field = (key) => element("input", { name: key, autocomplete: "off", spellcheck: "false", maxlength: "12" })
  const stan = field("stan")
  const rrn = field("rrn")
  const search = async (event) => {
    event.preventDefault()
    const key = { ...(stan.value === "" ? {} : { stan: stan.value }), ...(rrn.value === "" ? {} : { rrn: rrn.value }) }
    if (Object.keys(key).length === 0) return
    const answer = await ask("/api/trace", key)
    found.replaceChildren(
      ...(answer.error === undefined ? [] : [element("p", { class: "error" }, answer.error)]),
      ...(answer.exchanges?.length === 0 ? [element("p", {}, word("notFound"))] : []),
      ...(answer.exchanges ?? []).flatMap(({ deliveries, entries, exchange }) => [
        element("h2", {}, `${word("exchange")} ${exchange}`),
        element("div", { class: "sides" }, ...entries.map((entry, at) => side(entry, entries[at - 1]))),
        ...deliveries.flatMap((delivery) => [
          element("h2", {}, `${word("deliveries")} ${delivery.exchange}`),
          element("div", { class: "sides" }, ...delivery.entries.map((entry) => side(entry)))
        ])
      ]),
      ...(answer.more > 0 ? [element("p", { class: "soft" }, `${answer.more} ${word("more")}`)] : [])
    )
  }
  main.replaceChildren(
    element(
      "form",
      { class: "search", onsubmit: search },
      element("label", {}, word("stan"), stan),
      element("label", {}, word("rrn"), rrn),
      element("button", { type: "submit" }, word("find"))
    ),
    found
  )
  stan.focus()
  return () => {}
}
