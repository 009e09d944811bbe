/** The page that finds transactions: their life, both sides of each message, and why an answer found no request. */
import { button, cell, element, empty, failed, part, table } from "./elements.js"
import { says } from "./sentences.js"
import { word } from "./words.js"

const fieldName = (id) => (id === "mti" ? "MTI" : id)

const at = (text) => text.slice(11, 23)

/** One entry of the journal with its message. */
const entryOf = ({ at: when, fields, kind, link, says: happened, sinceMs }) =>
  element(
    "section",
    {},
    element("h4", {}, `${kind} · ${link} · ${at(when)} (+${Math.round(sinceMs)} ms)`),
    element("p", { class: "soft" }, says(happened)),
    ...(fields.length === 0
      ? []
      : [
          table(
            [["field"], ["fieldName"], ["value"]],
            fields.map(({ id, meaning, name, value }) =>
              element(
                "tr",
                {},
                cell(fieldName(id)),
                cell(says(name)),
                element("td", {}, value, meaning === "" ? "" : element("div", { class: "soft" }, says(meaning)))
              )
            )
          )
        ])
  )

/** The entry whose message a change begins with. */
const beginsWith = { request: "accepted", answer: "answered", reversal: "accepted" }

const bytesOf = (hex) => element("pre", { class: "bytes" }, hex.replace(/(..)(?=.)/g, "$1 "))

/** A message on both sides of the switch: every field, what was changed and why, and the bytes. */
const bothSides = ({ after, before, fields, from, note, to, what }, entries) => {
  const changed = new Map(fields.map((one) => [one.id, one]))
  const kept = entries.find(({ kind }) => kind === beginsWith[what])?.fields ?? []
  const same = kept.filter(({ id }) => !changed.has(id))
  const order = [...kept.map(({ id }) => id), ...fields.map(({ id }) => id)]
  const rows = [
    ...fields.map(({ after: right, before: left, id, name, why }) => ({ id, name, left, right, why, isChanged: true })),
    ...same.map(({ id, name, value }) => ({ id, name, left: value, right: value, why: "", isChanged: false }))
  ].sort((one, other) => order.indexOf(one.id) - order.indexOf(other.id))
  return element(
    "section",
    { "data-change": what },
    element("h4", {}, `${word(`change-${what}`)}: ${from} → ${to}`),
    ...(note === ""
      ? [
          table(
            [["field"], ["fieldName"], ["fromSide"], ["toSide"], ["whyChanged"]],
            rows.map(({ id, isChanged, left, name, right, why }) =>
              element(
                "tr",
                { class: isChanged ? "changed" : "soft" },
                cell(`${isChanged ? "≠ " : ""}${fieldName(id)}`),
                cell(says(name)),
                cell(left === "" ? "–" : left),
                cell(right === "" ? "–" : right),
                cell(says(why))
              )
            )
          )
        ]
      : [element("p", { class: "soft" }, says(note))]),
    ...(before === "" && after === ""
      ? []
      : [element("details", {}, element("summary", {}, word("bytes")), bytesOf(before), bytesOf(after))])
  )
}

const exchangeOf = ({ changes = [], deliveries, entries, exchange, late }) => [
  ...part(`${word("exchange")} ${exchange}`, says(late?.says ?? "")),
  element("div", { class: "sides" }, ...entries.map(entryOf)),
  ...(changes.length === 0 ? [] : [...part(word("changes")), ...changes.map((change) => bothSides(change, entries))]),
  ...deliveries.flatMap((delivery) => [
    ...part(`${word("deliveries")} ${delivery.exchange}`),
    element("div", { class: "sides" }, ...delivery.entries.map(entryOf))
  ])
]

const reasonOf = ({ at: when, code, kind, link, mti, nearest, says: why, seq }) => [
  ...part(`${word(`answer-${kind}`)} · ${link} · ${mti} ${code} · ${at(when)} · #${seq}`),
  element("p", {}, says(why)),
  ...(nearest === null
    ? []
    : [
        element(
          "p",
          { class: "soft" },
          `${word("nearest")} ${nearest.exchange} (${at(nearest.at)}); ${word("sameFields")}: ${nearest.same.join(" ") || "–"}`
        ),
        ...(nearest.differs.length === 0
          ? []
          : [
              table(
                [["field"], ["fieldName"], ["ofRequest"], ["ofAnswer"]],
                nearest.differs.map(({ answer, id, name, request }) =>
                  element(
                    "tr",
                    { class: "changed" },
                    cell(`≠ ${id}`),
                    cell(says(name)),
                    cell(request || "–"),
                    cell(answer || "–")
                  )
                )
              )
            ])
      ])
]

/** Whether a transaction can have such a number; what a keyboard of wide characters writes is told, and not sent. */
const isKey = ({ rrn = "0", stan = "0" }) => /^\d{1,12}$/.test(stan) && /^[ -~]{1,12}$/.test(rrn)

/** Trace: the life of a transaction, its messages side by side, and why answers found none. */
export const tracePage = (main, { ask }) => {
  const found = element("div", { role: "region", "aria-live": "polite", "aria-label": word("trace") })
  const field = (name) => element("input", { name, autocomplete: "off", spellcheck: "false", maxlength: "12" })
  const stan = field("stan")
  const rrn = field("rrn")
  const key = () => ({
    ...(stan.value.trim() === "" ? {} : { stan: stan.value.trim() }),
    ...(rrn.value.trim() === "" ? {} : { rrn: rrn.value.trim() })
  })
  const search = async (event) => {
    event.preventDefault()
    if (Object.keys(key()).length === 0) return found.replaceChildren(failed(word("giveKey")))
    if (!isKey(key())) return found.replaceChildren(failed(word("wrongKey")))
    const { error, exchanges, more } = await ask("/api/trace", { ...key(), diff: true })
    if (error !== undefined) return found.replaceChildren(failed(error))
    found.replaceChildren(
      ...(exchanges.length === 0 ? [empty(word("notFound"))] : exchanges.flatMap(exchangeOf)),
      ...(more > 0 ? [element("p", { class: "soft" }, `${more} ${word("more")}`)] : [])
    )
  }
  const why = async () => {
    if (!isKey(key())) return found.replaceChildren(failed(word("wrongKey")))
    const { answers, error } = await ask("/api/why", key())
    if (error !== undefined) return found.replaceChildren(failed(error))
    found.replaceChildren(...(answers.length === 0 ? [empty(word("allFound"))] : answers.flatMap(reasonOf)))
  }
  main.replaceChildren(
    element(
      "form",
      { class: "search", onsubmit: search },
      element("label", {}, word("stan"), stan),
      element("label", {}, word("rrn"), rrn),
      element("button", { type: "submit" }, word("find")),
      button(word("whyNone"), why)
    ),
    found
  )
  stan.focus()
  return () => {}
}
