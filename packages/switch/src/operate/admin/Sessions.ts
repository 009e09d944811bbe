/**
 * Sessions of people in a browser: a token is shown once, and from then on a cookie of this process alone stands for it. A
 * session ends when its user ends it, when nothing has come for a quarter of an hour, after a working day at the latest, and
 * with the switch.
 */
import { isDeepStrictEqual } from "node:util"
import { digestOf, type User } from "./Users.ts"

/** Without a request, and in all, in milliseconds. */
const IDLE_MS = 15 * 60_000
const LONGEST_MS = 10 * 3_600_000

/** Sessions at once; the oldest gives way. */
const SESSIONS_MAX = 100

interface Session {
  readonly user: User
  readonly until: number
  idleAt: number
}

const cookieName = "jinka-session"

/** The sessions of one switch. Times are monotonic milliseconds. */
export class Sessions {
  /** By the digest of their cookies. */
  private readonly open = new Map<string, Session>()
  private readonly now: () => number
  private readonly drawn: () => string
  private readonly isSecure: boolean

  /** `drawn`: 128 bits or more that nobody can guess, as hex. `isSecure`: the listener has TLS. */
  constructor(now: () => number, drawn: () => string, isSecure: boolean) {
    this.now = now
    this.drawn = drawn
    this.isSecure = isSecure
  }

  /** Opens one; gives the header `set-cookie`. */
  begin(user: User): string {
    this.sweep()
    if (this.open.size >= SESSIONS_MAX) this.open.delete(this.open.keys().next().value!)
    const value = this.drawn()
    this.open.set(keyOf(value), { user, until: this.now() + LONGEST_MS, idleAt: this.now() + IDLE_MS })
    return this.cookie(value, LONGEST_MS / 1000)
  }

  /** The user of a request's `cookie` header; `undefined`: no session, or none any more. */
  user(cookies: string | null): User | undefined {
    const value = sessionIn(cookies)
    const session = value === undefined ? undefined : this.open.get(keyOf(value))
    if (session === undefined) return undefined
    const now = this.now()
    if (now >= session.until || now >= session.idleAt) {
      this.open.delete(keyOf(value!))
      return undefined
    }
    session.idleAt = now + IDLE_MS
    return session.user
  }

  /** Other users: a session goes on as the user of the same name, as long as he proves himself as before. */
  keep(users: ReadonlyArray<User>): void {
    for (const [key, session] of this.open) {
      const now = users.find((user) => user.name === session.user.name && isSameProof(user, session.user))
      if (now === undefined) this.open.delete(key)
      else this.open.set(key, { ...session, user: now })
    }
  }

  /** Ends the one of a `cookie` header; gives the header that makes the browser forget it. */
  end(cookies: string | null): string {
    const value = sessionIn(cookies)
    if (value !== undefined) this.open.delete(keyOf(value))
    return this.cookie("", 0)
  }

  private cookie(value: string, seconds: number): string {
    const secure = this.isSecure ? "; Secure" : ""
    return `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure}`
  }

  private sweep(): void {
    const now = this.now()
    for (const [key, { idleAt, until }] of this.open) if (now >= until || now >= idleAt) this.open.delete(key)
  }
}

const isSameProof = (one: User, other: User): boolean =>
  isDeepStrictEqual([one.token, one.certificate], [other.token, other.certificate])

const keyOf = (value: string): string => digestOf(value).toString("hex")

const sessionIn = (cookies: string | null): string | undefined =>
  new RegExp(`(?:^|;\\s*)${cookieName}=([0-9a-f]{32,128})(?:;|$)`).exec(cookies ?? "")?.[1]
