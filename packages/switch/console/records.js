/** The pages of records: keys by their check values, the business day and its totals, alarms, and what persons have done. */
import { button, card, cell, element, table } from "./elements.js"
import { duration, time, word } from "./words.js"

/** Asks again every so often, counted in the switch's own time; shows what came, or why nothing did. */
const asking = (main, ask, path, everyMs, shown) => {
  const place = element("div", {})
  main.replaceChildren(place)
  let askedAt = Number.NEGATIVE_INFINITY
  const look = async (beat) => {
    askedAt = beat.at
    const answer = await ask(path())
    if (!place.isConnected) return
    place.replaceChildren(
      ...(answer.error === undefined
        ? shown(answer, beat)
        : [element("p", { class: "error", role: "alert" }, answer.error)])
    )
  }
  return {
    place,
    look,
    update: (beat) => (beat.at - askedAt < everyMs ? undefined : look(beat))
  }
}

const held = (key, at) =>
  key === null
    ? element("td", { class: "soft" }, "–")
    : element(
        "td",
        {},
        element("code", {}, key.checkValue),
        element("div", { class: "soft" }, `${key.algorithm} v${key.version} · ${duration(at - key.since)}`)
      )

/** Keys: what is in use, what is still good, and what was given and not answered for. */
export const keysPage = (main, { ask, askKey, retireKey }) => {
  const heads = [["link"], ["slot"], ["current"], ["previous"], ["offered"], ["fitted", "number wide"], ["acts"]]
  const row = (one, beat) => {
    const mayAct = beat.who.role === "keys"
    const [purpose, direction] = one.slot.split("/")
    return element(
      "tr",
      { "data-slot": `${one.link} ${one.slot}` },
      cell(one.link),
      element("td", {}, one.slot, element("div", { class: "soft" }, one.schedule)),
      held(one.current, beat.at),
      held(one.previous, beat.at),
      held(one.offered, beat.at),
      cell(
        `${one.fitted.current} / ${one.fitted.previous} / ${one.fitted.none}`,
        one.fitted.none > 0 ? "number wide state bad" : "number wide"
      ),
      element(
        "td",
        {},
        element(
          "div",
          { class: "buttons" },
          button(word("askKey"), () => askKey(one.link, purpose), { disabled: !mayAct || purpose === "kek" }),
          button(word("retireKey"), () => retireKey(one.link, purpose, direction), { disabled: !mayAct })
        )
      )
    )
  }
  const { update } = asking(
    main,
    ask,
    () => "/api/keys",
    5000,
    ({ keys }, beat) => [
      element("h2", {}, word("keys")),
      element("p", { class: "soft" }, word("keysHint")),
      keys.length === 0
        ? element("p", {}, word("noKeys"))
        : table(
            heads,
            keys.map((one) => row(one, beat))
          )
    ]
  )
  return update
}

/** Alarms: what is wrong now and since when, and what a person has silenced. */
export const alarmsPage = (main, { ask, silence, unsilence }) => {
  const heads = [["alarm"], ["link"], ["says"], ["since"], ["acts"]]
  const of = (link) => (link === "" ? word("wholeSwitch") : link)
  const row = (one, beat) =>
    element(
      "tr",
      { "data-alarm": `${one.kind} ${one.link}`.trim() },
      cell(`${one.silenced ? "■" : "✕"} ${word(`alarm-${one.kind}`)}`, one.silenced ? "state idle" : "state bad"),
      cell(of(one.link)),
      cell(one.says),
      cell(duration(beat.at - one.since)),
      element(
        "td",
        {},
        one.silenced
          ? word("silenced")
          : button(word("silence"), () => silence(one), { disabled: beat.who.role === "view" })
      )
    )
  const silencedHeads = [["alarm"], ["link"], ["until"], ["who"], ["reason"], ["acts"]]
  const silencedRow = (one, beat) =>
    element(
      "tr",
      { "data-silence": `${one.kind} ${one.link}`.trim() },
      cell(word(`alarm-${one.kind}`)),
      cell(one.link === "" ? word("every") : one.link),
      cell(time(one.until)),
      cell(one.user),
      cell(one.reason),
      element(
        "td",
        {},
        button(word("unsilence"), () => unsilence(one), { disabled: beat.who.role === "view" })
      )
    )
  const { update } = asking(
    main,
    ask,
    () => "/api/alarms",
    1000,
    ({ alarms, silences }, beat) => [
      element("h2", {}, word("alarms")),
      alarms.length === 0
        ? element("p", {}, word("noAlarms"))
        : table(
            heads,
            alarms.map((one) => row(one, beat))
          ),
      ...(silences.length === 0
        ? []
        : [
            element("h2", {}, word("silencedAlarms")),
            table(
              silencedHeads,
              silences.map((one) => silencedRow(one, beat))
            )
          ])
    ]
  )
  return update
}

/** Audit: who did what and why, newest first. */
export const auditPage = (main, { ask }) => {
  const heads = [["when"], ["who"], ["link"], ["what"], ["reason"]]
  const list = element("div", {})
  const older = button(word("older"), () => more(), { hidden: true })
  main.replaceChildren(
    element("h2", {}, word("audit")),
    element("p", { class: "soft" }, word("auditHint")),
    list,
    older
  )
  let rows = []
  let before = 0
  let isBegun = false
  const more = async () => {
    const answer = await ask(`/api/audit/${before}`)
    if (answer.error !== undefined)
      return list.replaceChildren(element("p", { class: "error", role: "alert" }, answer.error))
    rows = [
      ...rows,
      ...answer.acts.map((one) =>
        element(
          "tr",
          { "data-seq": one.seq },
          element("td", {}, time(one.at), element("div", { class: "soft" }, `#${one.seq}`)),
          cell(one.user),
          cell(one.link),
          cell(one.what),
          cell(one.why)
        )
      )
    ]
    before = answer.before
    older.hidden = before === 0
    list.replaceChildren(rows.length === 0 ? element("p", {}, word("none")) : table(heads, rows))
  }
  return () => {
    if (isBegun) return
    isBegun = true
    more()
  }
}

const amount = ({ amount, count }) =>
  `${count.toLocaleString("en")} · ${(amount / 100).toLocaleString("en", { minimumFractionDigits: 2 })}`

/** The business day of each partner, and what has passed on it. */
export const dayPage = (main, { ask }) => {
  const date = element("input", { type: "date", "aria-label": word("date") })
  const found = element("div", {})
  main.replaceChildren(
    element(
      "form",
      { class: "search", onsubmit: (event) => event.preventDefault() },
      element("label", {}, word("date"), date)
    ),
    found
  )
  const heads = [
    ["date"],
    ["link"],
    ["side"],
    ["message"],
    ["type"],
    ["approved", "number"],
    ["reversed", "number"],
    ["refusedCount", "number"],
    ["unknown", "number"],
    ["openCount", "number"]
  ]
  const row = (one) =>
    element(
      "tr",
      {},
      cell(one.date === "" ? "–" : one.date),
      cell(one.link),
      cell(word(one.side)),
      cell(one.mti),
      cell(`${one.type} ${one.name}`),
      cell(amount(one.approved), "number"),
      cell(amount(one.reversed), "number"),
      cell(amount(one.declined), "number"),
      cell(amount(one.unknown), one.unknown.count > 0 ? "number state bad" : "number"),
      cell(amount(one.open), "number")
    )
  const { update, look, place } = asking(
    found,
    ask,
    () => (date.value === "" ? "/api/totals" : `/api/totals?date=${date.value}`),
    30_000,
    ({ days, rows }) => [
      element(
        "div",
        { class: "cards" },
        ...days.map((day) => card(day.link, `${day.date}${day.state === "open" ? "" : ` (${word(day.state)})`}`))
      ),
      rows.length === 0 ? element("p", {}, word("none")) : table(heads, rows.map(row))
    ]
  )
  date.addEventListener("change", () => place.isConnected && look({ at: Number.NEGATIVE_INFINITY }))
  return update
}
