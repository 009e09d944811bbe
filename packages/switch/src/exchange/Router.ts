/**
 * Where a message goes: by the receiving institution that it names, by the first digits of its card number, or by its type. Pure.
 *
 * The longest matching BIN wins; an institution route is asked first, because who names a receiver means it. Routes by type are
 * asked last, in their order: they are for what names neither, such as a terminal's sign-in or its settlement. Network
 * management passes through only by them; what they do not name ends at the link (`link/Management`).
 */
import { isRepeat, type MessageIndex, mtiClass } from "@jinka/codec"
import type { Language } from "../message/Language.ts"

/** One line of `routes:`. Exactly one of `bin`, `institution` and `mti` is given; `to` is a link's number. */
export interface Route {
  /** First digits of the card number, 1 to 11 of them. */
  readonly bin?: string
  /** DE 100, the receiving institution. */
  readonly institution?: string
  /** Message types as four digits; a repeat goes with its original's type. */
  readonly mti?: ReadonlyArray<string>
  /** With `mti`: only what comes from this link, by its number; network management only with one of these codes. */
  readonly from?: number
  readonly codes?: ReadonlyArray<string>
  readonly to: number
}

interface TypeRoute {
  readonly from: number | undefined
  readonly codes: ReadonlySet<string> | undefined
  readonly to: number
}

const none: ReadonlyArray<TypeRoute> = []

/** Whether a message type is network management, asking or answering. */
export const isManagement = (mti: number): boolean => {
  const kind = mtiClass(mti)
  return kind === "networkManagement" || kind === "networkManagementResponse"
}

/** The routes of a switch, made once from the configuration. */
export class Router {
  private readonly institutions = new Map<string, number>()
  /** By BIN as a number, one map for each BIN length, longest first. */
  private readonly bins: ReadonlyArray<{ readonly length: number; readonly links: ReadonlyMap<number, number> }>
  private readonly types = new Map<number, Array<TypeRoute>>()
  /** Some network management passes through. */
  readonly passesManagement: boolean

  constructor(routes: ReadonlyArray<Route>) {
    const bins = new Map<number, Map<number, number>>()
    for (const route of routes) {
      const { bin, institution, to } = route
      if (institution !== undefined) this.institutions.set(institution, to)
      for (const mti of route.mti ?? []) this.addType(Number(mti), route)
      if (bin === undefined) continue
      const links = bins.get(bin.length) ?? new Map<number, number>()
      bins.set(bin.length, links.set(Number(bin), to))
    }
    this.bins = [...bins].sort(([a], [b]) => b - a).map(([length, links]) => ({ length, links }))
    this.passesManagement = [...this.types.keys()].some(isManagement)
  }

  /** The destination's number of a message from link `from`, or `undefined` when no route fits. */
  route(language: Language, index: MessageIndex, from: number): number | undefined {
    if (this.passesManagement && isManagement(index.mti)) return this.byType(language, index, from)
    if (this.institutions.size > 0) {
      const to = this.institutions.get(language.receiver(index))
      if (to !== undefined) return to
    }
    for (const { length, links } of this.bins) {
      const to = links.get(language.leadingDigits(index, length))
      if (to !== undefined) return to
    }
    return this.types.size === 0 ? undefined : this.byType(language, index, from)
  }

  private addType(mti: number, { codes, from, to }: Route): void {
    const routes = this.types.get(mti) ?? []
    routes.push({ from, to, codes: codes === undefined || codes.length === 0 ? undefined : new Set(codes) })
    this.types.set(mti, routes)
  }

  private byType(language: Language, index: MessageIndex, from: number): number | undefined {
    const { mti } = index
    for (const route of this.types.get(isRepeat(mti) ? mti - 1 : mti) ?? none) {
      // Nothing goes back to where it came from.
      if (route.to === from || (route.from !== undefined && route.from !== from)) continue
      if (route.codes === undefined || route.codes.has(language.managementCode(index))) return route.to
    }
    return undefined
  }
}
