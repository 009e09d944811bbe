/** The pages of the console that live: each makes its part of the document once, and brings it up to date with a beat. */
import { chart } from "./charts.js"
import { button, card, cell, element, keep, table } from "./elements.js"
import { draw, kindOf } from "./picture.js"
import { duration, short, word } from "./words.js"

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

/** The menu of what can be done to a link; made anew only when that is something else. */
const actsOf = (link, { act, role }) => {
  const some = link.blocked ? ["unblock"] : ["block", "echo"]
  const menu = element(
    "select",
    { "aria-label": `${word("acts")} ${link.name}`, disabled: role === "view" },
    element("option", { value: "" }, "…"),
    ...[...some, "sign-on", "sign-off", "cut", "retry", "drain"].map((one) =>
      element("option", { value: one }, word(one))
    )
  )
  menu.addEventListener("change", () => {
    const chosen = menu.value
    menu.value = ""
    if (chosen !== "") act(link.name, chosen)
  })
  return menu
}

/** The row of a link, made once: a beat changes the texts that are different, and nothing else of hundreds of rows. */
const linkRow = (first, hands) => {
  const menu = element("td", {})
  const texts = heads.map(([, kind = ""]) => element("td", { class: kind }))
  const [, state, , since, heard, inward, outward, outstanding, stored, timeouts, approved, partner, ours, lastEnd] =
    texts
  const name = element("td", {}, first.name, element("div", { class: "soft" }, first.institution))
  const row = element("tr", { "data-link": first.name }, name, state, menu, ...texts.slice(3))
  let menuFor = ""
  return {
    row,
    update: (link, rate, role) => {
      const { kind, sign } = kindOf(link)
      const form = `${link.blocked} ${role}`
      if (form !== menuFor && !menu.contains(document.activeElement)) {
        menu.replaceChildren(actsOf(link, { ...hands, role }))
        menuFor = form
      }
      const end = link.end === null ? "" : `${link.end.by} ${link.end.how}: ${link.end.why}`
      keep(state, `${sign} ${word(link.state)}`, `state ${kind}`)
      keep(since, duration(link.sinceMs))
      keep(heard, duration(link.heardMs))
      keep(inward, short(rate?.in ?? 0))
      keep(outward, short(rate?.out ?? 0))
      keep(outstanding, `${link.outstanding} / ${link.window}`)
      keep(
        stored,
        `${link.stored}${link.doubt > 0 ? ` !${link.doubt}` : ""}`,
        link.doubt > 0 ? "number state bad" : "number"
      )
      keep(timeouts, String(link.timeouts))
      keep(approved, share(link.answersIn))
      keep(partner, `${short(link.partner.p99)} ms`)
      keep(ours, `${short(link.ours.p99)} ms`)
      keep(lastEnd, end.slice(0, 80), "wide soft")
    }
  }
}

/** Links: the picture, and a table of all. */
export const linksPage = (main, hands) => {
  const cards = element("div", { class: "cards" })
  const picture = element("div", { id: "picture" })
  const list = element("div", {})
  main.replaceChildren(cards, picture, list)
  let rows = new Map()
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
    if (beat.links.length !== rows.size || beat.links.some(({ name }) => !rows.has(name))) {
      rows = new Map(beat.links.map((link) => [link.name, rows.get(link.name) ?? linkRow(link, hands)]))
      list.replaceChildren(
        table(
          heads,
          [...rows.values()].map(({ row }) => row)
        )
      )
    }
    for (const link of beat.links) rows.get(link.name).update(link, rates.get(link.name), beat.who.role)
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
