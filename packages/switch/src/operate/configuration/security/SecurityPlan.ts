/** The exchange of a link's keys, made of its document and its dialect: what the one leaves out the other says. Pure. */
import type { Dialect, KeyExchange, KeyKind } from "@jinka/codec"
import type { KeySettings } from "../../../guard/KeySettings.ts"
import type { LinkDocument } from "../link/LinkDocument.ts"
import { durationMs } from "../text/Units.ts"

/** The exchange of a dialect that a link uses: the one that it names, otherwise the first. */
export const exchangeOf = ({ keyExchange = [] }: Dialect, name: string | undefined): KeyExchange | undefined =>
  name === undefined ? keyExchange[0] : keyExchange.find((one) => one.name === name)

/** The kinds of keys of a link. */
export const kindsOf = ({ keys, mac, pin }: LinkDocument): ReadonlyArray<KeyKind> =>
  keys?.kinds ?? [...(mac === undefined ? [] : ["mac" as const]), ...(pin === undefined ? [] : ["pin" as const])]

const minuteOf = (time: string): number => 60 * Number(time.slice(0, 2)) + Number(time.slice(3))

/** The exchange of a link's keys; `undefined`: they are not exchanged. */
export const keySettings = (link: LinkDocument, dialect: Dialect): KeySettings | undefined => {
  const { keys } = link
  const exchange = keys === undefined ? undefined : exchangeOf(dialect, keys.exchange)
  if (keys === undefined || exchange === undefined) return undefined
  const { algorithm, at, every, first, giver, messages, wait, window } = keys
  return {
    exchange,
    giver,
    kinds: kindsOf(link),
    algorithm,
    windowMs: window === undefined ? 1000 * exchange.window : durationMs(window)!,
    waitMs: wait === undefined ? 1000 * exchange.wait : durationMs(wait)!,
    schedule: {
      whenNone: first === "ask",
      everyMs: every === undefined ? undefined : durationMs(every),
      atMinute: at === undefined ? undefined : minuteOf(at),
      messages
    }
  }
}
