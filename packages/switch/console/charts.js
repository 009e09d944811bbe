/** Rates, times and response codes over the last minutes, as uPlot draws them. The page keeps ten minutes; older is Grafana's. */
import { word } from "./words.js"

const KEPT = 600
const colours = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#999933", "#882255"]
const dashes = [[], [8, 4], [2, 4], [12, 4, 2, 4], [16, 6], [2, 8], [8, 4, 2, 4, 2, 4], [4, 8]]

const history = []

/** Rates of two beats, by link; `undefined` for the first. */
export const ratesOf = (beat, before) => {
  const rates = new Map()
  if (before === undefined || beat.at <= before.at) return rates
  const seconds = (beat.at - before.at) / 1000
  const old = new Map(before.links.map((link) => [link.name, link]))
  for (const link of beat.links) {
    const then = old.get(link.name)
    if (then === undefined || link.in < then.in) continue
    rates.set(link.name, { in: (link.in - then.in) / seconds, out: (link.out - then.out) / seconds })
  }
  return rates
}

/** Takes a beat into the memory of the charts. */
export const remember = (beat, before, rates) => {
  const codes = {}
  if (before !== undefined) {
    const seconds = Math.max(0.001, (beat.at - before.at) / 1000)
    const old = new Map(before.links.map((link) => [link.name, link.answersOut]))
    for (const { answersOut, name } of beat.links) {
      for (const [code, count] of Object.entries(answersOut)) {
        const more = (count - (old.get(name)?.[code] ?? 0)) / seconds
        if (more >= 0) codes[code] = (codes[code] ?? 0) + more
      }
    }
  }
  history.push({ at: beat.at / 1000, beat, rates, codes })
  if (history.length > KEPT) history.shift()
}

const sum = (rates, key) => [...rates.values()].reduce((all, rate) => all + rate[key], 0)

const ofLinks = (name, all, one) => (name === "" ? all : one)

/** What the four charts show of the link with this name, or of all. */
const series = (name) => {
  const link = ({ beat }) => beat.links.find((one) => one.name === name)
  const worst =
    (key) =>
    ({ beat }) =>
      Math.max(0, ...beat.links.map((one) => one[key].p99))
  const total =
    (key) =>
    ({ beat }) =>
      beat.links.reduce((all, one) => all + one[key], 0)
  const codes = [...new Set(history.flatMap((one) => Object.keys(one.codes)))].sort().slice(0, 8)
  return {
    requests: [
      [
        word("inward"),
        ofLinks(
          name,
          (h) => sum(h.rates, "in"),
          (h) => h.rates.get(name)?.in
        )
      ],
      [
        word("outward"),
        ofLinks(
          name,
          (h) => sum(h.rates, "out"),
          (h) => h.rates.get(name)?.out
        )
      ]
    ],
    codes: codes.map((code) => [code, (h) => h.codes[code] ?? 0]),
    time: [
      [word("partnerTime"), ofLinks(name, worst("partner"), (h) => link(h)?.partner.p99)],
      [word("ourTime"), ofLinks(name, worst("ours"), (h) => link(h)?.ours.p99)]
    ],
    open: [
      [word("outstanding"), ofLinks(name, total("outstanding"), (h) => link(h)?.outstanding)],
      [word("stored"), ofLinks(name, total("stored"), (h) => link(h)?.stored)]
    ]
  }
}

let drawn = new Map()

/** Draws the charts into `place`, or brings them up to date. */
export const chart = (place, name) => {
  const shown = series(name)
  for (const [key, lines] of Object.entries(shown)) {
    const data = [history.map(({ at }) => at), ...lines.map(([, read]) => history.map((h) => read(h) ?? null))]
    const form = `${name} ${lines.map(([label]) => label).join()}`
    const old = drawn.get(key)
    if (old !== undefined && old.form === form && place.contains(old.figure)) {
      old.plot.setData(data)
      continue
    }
    let figure = place.querySelector(`[data-chart="${key}"]`)
    if (figure === null) {
      figure = document.createElement("figure")
      figure.dataset.chart = key
      place.append(figure)
    }
    const caption = document.createElement("figcaption")
    caption.textContent = word(key)
    figure.replaceChildren(caption)
    const style = getComputedStyle(document.body)
    const axis = { stroke: style.color, grid: { stroke: style.getPropertyValue("--line") } }
    const plot = new uPlot(
      {
        width: Math.max(280, figure.clientWidth),
        height: 200,
        axes: [axis, axis],
        scales: { y: { range: (_, __, high) => [0, Math.max(1, high * 1.1)] } },
        series: [
          {},
          ...lines.map(([label], at) => ({ label, stroke: colours[at % 8], width: 2, dash: dashes[at % 8] }))
        ]
      },
      data,
      figure
    )
    drawn.set(key, { figure, form, plot })
  }
}

/** Forgets the drawings: their page is gone. */
export const forget = () => {
  for (const { plot } of drawn.values()) plot.destroy()
  drawn = new Map()
}
