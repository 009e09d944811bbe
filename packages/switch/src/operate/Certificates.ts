/**
 * Certificates and keys while the switch runs: read before it starts, read again when their files change, and a warning before
 * ours runs out. Nothing of a file but its path is ever said.
 */
import { Clock, Effect } from "effect"
import { type Side, sidesOf } from "../link/Settings.ts"
import type { SwitchSettings } from "../Switch.ts"
import { Credentials, CredentialsWrong, type Reloaded } from "../transport/Credentials.ts"
import type { TlsSettings } from "../transport/Tls.ts"

/** How often the files are looked at, in milliseconds. */
const LOOK_EVERY_MS = 60_000

/** A certificate of ours that has this long to live is warned of at each look, once a day. */
const WARN_BEFORE_MS = 30 * 24 * 3_600_000

const DAY_MS = 24 * 3_600_000

const tlsOf = (side: Side): TlsSettings | undefined => (side._tag === "door" ? undefined : side.tls)

/** Every TLS of a switch. */
const allTls = ({ links, doors = [], http = [] }: SwitchSettings): ReadonlyArray<TlsSettings> =>
  [
    ...links.flatMap((link) =>
      [...sidesOf(link), ...(link.short?.dial === undefined ? [] : [link.short.dial])].map(tlsOf)
    ),
    ...[...doors, ...http].map(({ tls }) => tls)
  ].filter((tls) => tls !== undefined)

/** Reads all files before anything starts; fails for the first that is wrong. `others`: of connections that are no links. */
export const readAll = Effect.fnUntraced(function* (settings: SwitchSettings, others: ReadonlyArray<TlsSettings> = []) {
  const credentials = yield* Credentials
  for (const tls of [...allTls(settings), ...others]) {
    const read = credentials.of(tls)
    if (read instanceof CredentialsWrong) return yield* read
  }
})

/** What a reload did, for the log: wrong files as warnings. */
export const report = Effect.fnUntraced(function* (reloaded: ReadonlyArray<Reloaded>) {
  for (const { file, wrong } of reloaded) {
    if (wrong === undefined) yield* Effect.logInfo(`new certificates are in use for new connections: ${file}`)
    else yield* Effect.logWarning(`the certificates that were read before stay in use: ${wrong.message}`)
  }
})

/** Reads every file again at once: what `jinka reload` asks for. Returns what was done with each set of files. */
export const reload = Effect.gen(function* () {
  const reloaded = yield* (yield* Credentials).reload
  yield* report(reloaded)
  return reloaded
})

/** A certificate of ours that ends soon, or has ended. */
export interface EndingCertificate {
  readonly file: string
  /** Whole days that are left; negative: it has run out. */
  readonly days: number
}

/** Those of ours that end within 30 days. Both are asked for at each look, as a reload may bring others. */
export const makeEnding = (settings: () => SwitchSettings, others: () => ReadonlyArray<TlsSettings>) =>
  Effect.map(Credentials, (credentials) => (wallMs: number): ReadonlyArray<EndingCertificate> => {
    const ending = new Map<string, number>()
    for (const tls of [...allTls(settings()), ...others()]) {
      if (tls.certificate === undefined || ending.has(tls.certificate)) continue
      const read = credentials.of(tls)
      if (read instanceof CredentialsWrong || read.expiresAt - wallMs > WARN_BEFORE_MS) continue
      ending.set(tls.certificate, Math.floor((read.expiresAt - wallMs) / DAY_MS))
    }
    return Array.from(ending, ([file, days]) => ({ file, days }))
  })

/** In words: what is to come of it. */
export const endingWords = ({ days, file }: EndingCertificate): string =>
  `our certificate ${file} ${left(days)}: whoever checks it refuses it then`

const left = (days: number): string => {
  if (days < 0) return "has run out"
  if (days === 0) return "runs out within a day"
  return `runs out in ${days} ${days === 1 ? "day" : "days"}`
}

/** Looks at the files for as long as it runs. A reload may bring other links: `settings` are asked for at each look. */
export const watch = (settings: () => SwitchSettings, others: () => ReadonlyArray<TlsSettings> = () => []) =>
  Effect.gen(function* () {
    const credentials = yield* Credentials
    const ending = yield* makeEnding(settings, others)
    const warned = new Map<string, number>()
    for (;;) {
      const now = yield* Clock.currentTimeMillis
      for (const one of ending(now)) {
        if (now - (warned.get(one.file) ?? 0) < DAY_MS) continue
        warned.set(one.file, now)
        yield* Effect.logWarning(endingWords(one))
      }
      yield* Effect.sleep(LOOK_EVERY_MS)
      yield* report(yield* credentials.refresh)
    }
  })
