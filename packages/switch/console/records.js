/** The pages of records: keys by their check values, the business day and its totals, alarms, and what persons have done. */
import { button, buttons, cell, element, empty, failed, part, renew, table } from "./elements.js"
import { says } from "./sentences.js"
import { duration, time, word } from "./words.js"

/** Asks again every so often, counted in the switch's own time, and when a person has acted; shows what came, or why nothing did. */
const asking = (main, ask, path, everyMs, shown) => {
  const place = element("div", {})
  main.append(place)
  let askedAt = Number.NEGATIVE_INFINITY
  const look = async (beat) => {
    askedAt = beat.at
    const answer = await ask(path())
    if (place.isConnected) renew(place, ...(answer.error === undefined ? shown(answer, beat) : [failed(answer.error)]))
  }
  return {
    place,
    look,
    update: (beat, _rates, isAnew = false) => (!isAnew && beat.at - askedAt < everyMs ? undefined : look(beat))
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
      buttons(
        button(word("askKey"), () => askKey(one.link, purpose), { disabled: !mayAct || purpose === "kek" }),
        button(word("retireKey"), () => retireKey(one.link, purpose, direction), { disabled: !mayAct })
      )
    )
  }
  const { update } = asking(
    main,
    ask,
    () => "/api/keys",
    5000,
    ({ keys }, beat) => [
      keys.length === 0
        ? empty(word("noKeys"))
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
      cell(says(one.says)),
      cell(duration(beat.at - one.since)),
      one.silenced
        ? cell(word("silenced"))
        : buttons(button(word("silence"), () => silence(one), { disabled: beat.who.role === "view" }))
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
      buttons(button(word("unsilence"), () => unsilence(one), { disabled: beat.who.role === "view" }))
    )
  const { update } = asking(
    main,
    ask,
    () => "/api/alarms",
    1000,
    ({ alarms, silences }, beat) => [
      alarms.length === 0
        ? empty(word("noAlarms"))
        : table(
            heads,
            alarms.map((one) => row(one, beat))
          ),
      ...(silences.length === 0
        ? []
        : [
            ...part(word("silencedAlarms")),
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
  main.append(list, older)
  let rows = []
  let before = 0
  let isBegun = false
  const more = async () => {
    const answer = await ask(`/api/audit/${before}`)
    if (answer.error !== undefined) return list.replaceChildren(failed(answer.error))
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
    list.replaceChildren(rows.length === 0 ? empty(word("none")) : table(heads, rows))
  }
  return () => {
    if (isBegun) return
    isBegun = true
    more()
  }
}

/** A count and an amount in units of its currency. */
const amount = ({ amount, count }, decimals) =>
  `${count.toLocaleString("en")} · ${(amount / 10 ** decimals).toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })}`

/** The day that follows `date`, a text like 2026-11-28. */
const dayAfter = (date) => {
  const from = new Date(date === "" ? Date.now() : Date.parse(date))
  return new Date(from.getTime() + 86_400_000).toISOString().slice(0, 10)
}

/** The business day of each partner: where it is, and the acts that move it. */
const daysOf = (main, { ask, moveDay }) => {
  const heads = [["link"], ["date"], ["nextDay"], ["acts"]]
  const row = ({ businessDay: { date, next }, name }, beat) =>
    element(
      "tr",
      { "data-day": name },
      cell(name),
      cell(date === "" ? word("unknownDay") : date),
      cell(next === "" ? "–" : `${next} (${word("closing")})`),
      buttons(
        button(word("cut-over"), () => moveDay(name, "cut-over", next === "" ? dayAfter(date) : next), {
          disabled: beat.who.role === "view"
        }),
        button(word("correct"), () => moveDay(name, "correct", date === "" ? dayAfter("") : date), {
          disabled: beat.who.role === "view"
        })
      )
    )
  return asking(
    main,
    ask,
    () => "/api/status",
    5000,
    ({ links }, beat) => {
      const kept = links.filter(({ businessDay }) => businessDay !== null)
      return [
        kept.length === 0
          ? empty(word("noDays"))
          : table(
              heads,
              kept.map((link) => row(link, beat))
            )
      ]
    }
  ).update
}

/** The business day of each partner, and what has passed on it. */
export const dayPage = (main, hands) => {
  const { ask } = hands
  const updateDays = daysOf(main, hands)
  const date = element("input", { type: "date", max: "9999-12-31" })
  main.append(
    ...part(word("totals")),
    element(
      "form",
      { class: "search", onsubmit: (event) => event.preventDefault() },
      element("label", {}, word("date"), date)
    )
  )
  const heads = [
    ["date"],
    ["link"],
    ["side", "wide"],
    ["message"],
    ["type"],
    ["currency"],
    ["approvedCount", "number"],
    ["reversed", "number"],
    ["refusedCount", "number"],
    ["unknown", "number"],
    ["undone", "number"],
    ["openCount", "number"]
  ]
  const row = (one) =>
    element(
      "tr",
      {},
      cell(one.date === "" ? "–" : one.date),
      cell(one.link),
      cell(word(one.side), "wide"),
      cell(one.mti),
      cell(`${one.type} ${says(one.name)}`),
      cell(one.currency === "" ? "–" : one.currency),
      cell(amount(one.approved, one.decimals), "number"),
      cell(amount(one.reversed, one.decimals), "number"),
      cell(amount(one.declined, one.decimals), "number"),
      cell(amount(one.unknown, one.decimals), one.unknown.count > 0 ? "number state bad" : "number"),
      cell(amount(one.undone, one.decimals), "number"),
      cell(amount(one.open, one.decimals), "number")
    )
  const { update, look, place } = asking(
    main,
    ask,
    () => (date.value === "" ? "/api/totals" : `/api/totals?date=${date.value}`),
    30_000,
    ({ rows }) => [rows.length === 0 ? empty(word("none")) : table(heads, rows.map(row))]
  )
  date.addEventListener("change", () => place.isConnected && look({ at: Number.NEGATIVE_INFINITY }))
  return (beat, rates, isAnew) => {
    updateDays(beat, rates, isAnew)
    update(beat, rates, isAnew)
  }
}
