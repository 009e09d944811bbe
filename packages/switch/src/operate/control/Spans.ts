/** Spans of time as an operator reads them. Pure. */

const units: ReadonlyArray<readonly [string, number]> = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1]
]

/** From one ISO 8601 time to another: `3 h 12 min`, `12 s`; `0.4 s` below ten seconds. */
export const span = (from: string, to: string): string => {
  const ms = Math.max(0, Date.parse(to) - Date.parse(from))
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const first = units.findIndex(([, size]) => seconds >= size)
  let rest = seconds
  const parts = units.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return `${count} ${unit}`
  })
  return parts.join(" ")
}

/** `12 s ago`, or `never`. */
export const ago = (when: string | null, at: string): string => (when === null ? "never" : `${span(when, at)} ago`)
