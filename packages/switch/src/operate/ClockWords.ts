/** How far a partner's clock is from ours, in words. Pure. */

/** `the partner's clock is 31.5 s ahead of ours`. */
export const clockWords = (aheadSeconds: number): string => {
  const by = Math.abs(aheadSeconds)
  if (by < 1) return "the partner's clock agrees with ours"
  const shown = by < 100 ? `${by.toFixed(1)} s` : `${Math.round(by)} s`
  const zone = by >= 1700 ? ": compare the time zones, `timeZone` in our configuration" : ""
  return `the partner's clock is ${shown} ${aheadSeconds > 0 ? "ahead of" : "behind"} ours${zone}`
}
