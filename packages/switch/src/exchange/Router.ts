/**
 * Where a request goes: by the receiving institution that it names, or by the first digits of its card number. Pure.
 *
 * The longest matching BIN wins; an institution route is asked first, because who names a receiver means it.
 */
import type { MessageIndex } from "@jinka/codec"
import type { Language } from "../message/Language.ts"

/** One line of `routes:`. Exactly one of `bin` and `institution` is given; `to` is a link's number. */
export interface Route {
  /** First digits of the card number, 1 to 11 of them. */
  readonly bin?: string
  /** DE 100, the receiving institution. */
  readonly institution?: string
  readonly to: number
}

/** The routes of a switch, made once from the configuration. */
export class Router {
  private readonly institutions = new Map<string, number>()
  /** By BIN as a number, one map for each BIN length, longest first. */
  private readonly bins: ReadonlyArray<{ readonly length: number; readonly links: ReadonlyMap<number, number> }>

  constructor(routes: ReadonlyArray<Route>) {
    const bins = new Map<number, Map<number, number>>()
    for (const { bin, institution, to } of routes) {
      if (institution !== undefined) this.institutions.set(institution, to)
      if (bin === undefined) continue
      const links = bins.get(bin.length) ?? new Map<number, number>()
      bins.set(bin.length, links.set(Number(bin), to))
    }
    this.bins = [...bins].sort(([a], [b]) => b - a).map(([length, links]) => ({ length, links }))
  }

  /** The destination's number, or `undefined` when no route fits. */
  route(language: Language, index: MessageIndex): number | undefined {
    if (this.institutions.size > 0) {
      const to = this.institutions.get(language.receiver(index))
      if (to !== undefined) return to
    }
    for (const { length, links } of this.bins) {
      const to = links.get(language.leadingDigits(index, length))
      if (to !== undefined) return to
    }
    return undefined
  }
}
