/**
 * What the editions of the standard put into a data element, as far as covering needs it: which elements are card data wherever
 * they are used, and which hold something that may be seen. A dialect can cover more than this, never less; an element that is
 * reserved, private, free in its content or unknown is covered unless the dialect releases it with a reason
 * (docs/decisions/0019-covered-by-default.md).
 *
 * Numbers: ISO 8583:1987 table 3, ISO 8583:1993 and :2003 annex A; rules: PCI DSS 4.0.1, 3.3.1 (tracks, PIN, verification codes)
 * and 3.4.1 (card numbers).
 */
import type { Sensitivity } from "./Sensitive.ts"
import type { Structure } from "./Structure.ts"

/** Order of covering: what is further behind shows less. */
const order: ReadonlyArray<Sensitivity> = ["none", "emv", "pan", "hidden", "sad"]

/** Whether `one` shows more than `other`. */
export const showsMore = (one: Sensitivity, other: Sensitivity): boolean => order.indexOf(one) < order.indexOf(other)

/** The edition of a dialect: 0 for 1987, 1 for 1993, 2 for 2003. */
type Edition = 0 | 1 | 2

/** Least covering in every edition: card number, expiry date, tracks, PIN, keys, account numbers. */
const everywhere: Readonly<Record<number, Sensitivity>> = {
  2: "pan",
  14: "hidden",
  35: "sad",
  36: "sad",
  45: "sad",
  52: "sad",
  55: "emv",
  96: "sad",
  102: "pan",
  103: "pan"
}

/** DE 34 is the long card number, in 2003 the data of electronic commerce; DE 49 of 2003 is verification data (CVV2). */
const byEdition: Readonly<Record<Edition, Readonly<Record<number, Sensitivity>>>> = {
  0: { 34: "pan" },
  1: { 34: "pan" },
  2: { 34: "hidden", 49: "sad" }
}

const numbers = (...ranges: ReadonlyArray<readonly [number, number]>): ReadonlySet<number> =>
  new Set(ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at)))

/**
 * Elements whose content the edition defines: amounts, dates, numbers and codes. Left out are those that it reserves, gives to
 * nations and networks, or leaves free in their content (DE 46 to 48, 59, 72, transaction descriptions).
 */
const open: Readonly<Record<Edition, ReadonlySet<number>>> = {
  0: numbers([3, 13], [15, 33], [37, 44], [49, 51], [53, 54], [64, 64], [66, 95], [97, 101], [128, 128]),
  1: numbers(
    [3, 13],
    [15, 33],
    [37, 44],
    [46, 46],
    [49, 51],
    [53, 54],
    [56, 58],
    [64, 64],
    [66, 71],
    [73, 95],
    [97, 101],
    [105, 110],
    [128, 128]
  ),
  2: numbers(
    [3, 13],
    [15, 33],
    [37, 43],
    [46, 46],
    [53, 54],
    [56, 58],
    [64, 64],
    [66, 70],
    [73, 75],
    [93, 95],
    [97, 101],
    [109, 110],
    [128, 128]
  )
}

/** The least covering of a standard element; `undefined` where the edition asks for none. */
export const leastSensitivity = (edition: Edition, de: number): Sensitivity | undefined =>
  byEdition[edition][de] ?? everywhere[de]

/** Whether the edition defines the content of the element as something that may be seen. */
export const isOpenElement = (edition: Edition, de: number): boolean => open[edition].has(de)

/** A field shows more than it may. */
export class CoverInvalid extends TypeError {}

/** What a definition says of its covering. */
export interface CoverDefinition {
  readonly sensitivity?: Sensitivity
  /** Why the value may be seen although the standard leaves its content to somebody else. */
  readonly reason?: string
}

/**
 * The covering of a field: what its definition says, else `needed` (what its parts need), else the edition's own, else `hidden`;
 * or why that is not allowed. `style` is that of the field's structure.
 */
export const fieldSensitivity = (
  edition: Edition,
  de: number,
  definition: CoverDefinition,
  needed: Sensitivity,
  style: Structure["style"] | undefined
): { readonly sensitivity: Sensitivity } | { readonly rule: string } => {
  const { sensitivity: said, reason } = definition
  const least = leastSensitivity(edition, de)
  if (reason !== undefined && reason.trim() === "") return { rule: "a reason in words is expected" }
  if (said === undefined) {
    const own = least ?? (isOpenElement(edition, de) ? "none" : "hidden")
    return { sensitivity: showsMore(own, needed) ? needed : own }
  }
  if (least !== undefined && showsMore(said, least))
    return { rule: `DE ${de} is card data: ${said} shows more than ${least}, and covering can only be raised` }
  if (needed !== "none" && showsMore(said, "hidden"))
    return { rule: `a part is card data, so the field cannot be shown; give it ${needed}` }
  if (said === "none" && reason === undefined && !isOpenElement(edition, de))
    return {
      rule: `DE ${de} is reserved, private or free in its content, so it is covered: to release it say why beside it (reason: ...)`
    }
  if (said === "none" && style !== undefined && style !== "positional")
    return { rule: "a field of tags is released tag by tag: give the tags sensitivity: none and a reason" }
  return { sensitivity: said }
}
