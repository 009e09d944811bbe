/** The pages of the console that live: each makes its part of the document once, and brings it up to date with a beat. */
import { chart } from "./charts.js"
import { button, buttons, card, cell, element, empty, failed, keep, part, renew, table } from "./elements.js"
import { draw, kindOf } from "./picture.js"
import { says } from "./sentences.js"
import { duration, short, word } from "./words.js"

const percent = (share) => `${(100 * share).toFixed(1)} %`

/** What share is approved: of the last minutes, with what is usual where it is low; before anything ended then, since the start. */
const share = ({ answersIn, approved, success }) => {
  if (success !== null)
    return success.isLow ? `↓ ${percent(success.share)} (${percent(success.usual)})` : percent(success.share)
  const all = Object.values(answersIn).reduce((sum, count) => sum + count, 0)
  return all === 0 ? "–" : percent(approved / all)
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
  const some = link.blocked || link.draining ? ["unblock"] : ["block", "echo"]
  const menu = element(
    "select",
    { "aria-label": `${word("acts")} ${link.name}`, disabled: role === "view" },
    element("option", { value: "" }, "…"),
    ...[...some, "sign-on", "sign-off", "cut", "retry", "drain"].map((one) =>
      element("option", { value: one }, word(one))
    )
  )
  // Arrows and letters change a closed menu: the first one would be an act already. They open it instead.
  menu.addEventListener("keydown", (event) => {
    if (["Tab", "Shift", "Escape"].includes(event.key) || event.ctrlKey || event.altKey || event.metaKey) return
    event.preventDefault()
    menu.showPicker()
  })
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
      const form = `${link.blocked || link.draining} ${role}`
      if (form !== menuFor && !menu.contains(document.activeElement)) {
        menu.replaceChildren(actsOf(link, { ...hands, role }))
        menuFor = form
      }
      const end = link.end === null ? "" : `${word(`by-${link.end.by}`)} ${says(link.end.how)}: ${says(link.end.why)}`
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
      keep(approved, share(link), link.success?.isLow ? "number wide state bad" : "number wide")
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
      ...(beat.alarms > 0 ? [card("alarms", String(beat.alarms), true)] : []),
      card("doubt", String(beat.inDoubt), beat.inDoubt > 0),
      card("unwritten", `${short(beat.unwritten.bytes / 1024)} KiB`, beat.fullBy !== null),
      card("lag", `${short(beat.unwritten.lagMs)} ms`, beat.unwritten.lagMs >= 500),
      card("loop", `${short(beat.loopMs)} ms`),
      card("memory", `${short(beat.memory / 1_048_576)} MiB`),
      ...(beat.defects > 0 ? [card("defects", String(beat.defects), true)] : []),
      ...(beat.fullBy === null ? [] : [card("full", word(`full-${beat.fullBy}`), true)])
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
  const choice = element("select", {}, element("option", { value: "" }, word("all")))
  const charts = element("div", { class: "charts" })
  main.replaceChildren(element("form", { class: "search" }, element("label", {}, word("link"), choice)), charts)
  return (beat) => {
    for (const { name } of beat.links) {
      if (![...choice.options].some(({ value }) => value === name))
        choice.append(element("option", { value: name }, name))
    }
    chart(charts, choice.value)
  }
}

const doubtful = new Set(["abandoned", "declined", "unreversed"])

/** What a person may do with a message, by its state. */
const actsByState = {
  waiting: ["hold"],
  "under way": ["hold"],
  resting: ["retry", "hold"],
  held: ["release"],
  abandoned: ["retry", "close"],
  declined: ["close"],
  unreversed: ["close"]
}

const columns = [
  ["exchange", "number"],
  ["link"],
  ["message"],
  ["state"],
  ["code"],
  ["attempts", "number wide"],
  ["since", "wide"],
  ["acts"]
]

/** Messages that are shown of those that the switch still delivers; the sum says how many there are. */
const SHOWN_MAX = 200

/** In doubt: what a person has to end, and what the switch is still delivering. */
export const doubtPage = (main, { ask, settle }) => {
  let askedAt = Number.NEGATIVE_INFINITY
  const row = (one, beat) =>
    element(
      "tr",
      { "data-exchange": one.exchange },
      cell(String(one.exchange), "number"),
      cell(one.link),
      cell(`${one.mti} ${one.stan}`),
      cell(
        doubtful.has(one.state) ? `✕ ${word(one.state)}` : word(one.state),
        doubtful.has(one.state) ? "state bad" : one.state === "held" ? "state idle" : ""
      ),
      cell(one.code),
      cell(doubtful.has(one.state) ? "–" : String(one.attempts), "number wide"),
      cell(duration(beat.at - one.at), "wide"),
      buttons(
        ...(actsByState[one.state] ?? []).map((what) =>
          button(word(`pending-${what}`), () => settle(what, one), { disabled: beat.who.role === "view" })
        )
      )
    )
  return async (beat, _rates, isAnew = false) => {
    if (!isAnew && beat.at - askedAt < 3000) return
    askedAt = beat.at
    const { error, inDoubt, messages, waiting } = await ask("/api/pending")
    if (error !== undefined) return renew(main, failed(error))
    const open = messages.filter(({ state }) => doubtful.has(state))
    const rest = messages.filter(({ state }) => !doubtful.has(state)).slice(0, SHOWN_MAX)
    const of = (shown, all) => (shown.length < all ? `${shown.length} ${word("of")} ${all}` : "")
    renew(
      main,
      ...part(word("forPersons"), of(open, inDoubt)),
      open.length === 0
        ? empty(word("nothingInDoubt"))
        : table(
            columns,
            open.map((one) => row(one, beat))
          ),
      ...part(word("deliveredBySwitch"), of(rest, waiting)),
      rest.length === 0
        ? empty(word("none"))
        : table(
            columns,
            rest.map((one) => row(one, beat))
          )
    )
  }
}
