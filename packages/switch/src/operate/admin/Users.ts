/**
 * Who asks over the administrative listener, and what he may do. Tokens are compared by their digests, so that how long a
 * comparison takes says nothing of them.
 */
import { hash, timingSafeEqual } from "node:crypto"
import { type ExpectedIdentity, isExpected, type PartnerIdentity, type TlsSettings } from "../../transport/Tls.ts"
import type { Endpoint } from "../../transport/Transport.ts"
import type { Role } from "../configuration/door/AdminDocument.ts"

/** A user as the switch knows him. */
export interface User {
  readonly name: string
  readonly role: Role
  /** SHA-256 of the bearer token; `undefined` for one who shows a certificate. */
  readonly token: Buffer | undefined
  /** Whose client certificate it is. */
  readonly certificate: ExpectedIdentity | undefined
}

/** The `admin` section as settings. */
export interface AdminSettings {
  readonly at: Endpoint
  readonly tls: TlsSettings | undefined
  /** Addresses and networks that may connect; empty: all. */
  readonly from: ReadonlyArray<string>
  readonly users: ReadonlyArray<User>
}

/** What is kept of a token. */
export const digestOf = (token: string): Buffer => hash("sha256", token, "buffer")

const ranks: Readonly<Record<Role, number>> = { view: 0, operate: 1, keys: 2 }

/** Whether a role has the rights of another. */
export const may = ({ role }: User, wanted: Role): boolean => ranks[role] >= ranks[wanted]

const bearer = /^bearer ([A-Za-z0-9._~-]+)$/i

/** The user behind a request; `undefined`: nobody whom the configuration names. */
export const userOf = (
  users: ReadonlyArray<User>,
  authorization: string | undefined,
  identity: PartnerIdentity | undefined
): User | undefined => {
  const [, token] = bearer.exec(authorization ?? "") ?? []
  const shown = token === undefined ? undefined : digestOf(token)
  let found: User | undefined
  // All of them, always: the time says nothing of who it was.
  for (const user of users) {
    if (shown !== undefined && user.token !== undefined && timingSafeEqual(shown, user.token)) found = user
    if (user.certificate !== undefined && identity !== undefined && isExpected(identity, user.certificate))
      found ??= user
  }
  return found
}

/** How the listener tells its routes who asks; what a caller writes there is taken away. */
export const userHeader = "jinka-user"

/** The user whom the listener found, by a request's headers; `undefined`: nobody. */
export const namedIn = (
  users: ReadonlyArray<User>,
  headers: Readonly<Record<string, string | undefined>>
): User | undefined => users.find(({ name }) => name === headers[userHeader])

/** What whoever has another role gets to hear. */
export const notEnough = ({ name, role }: User, wanted: Role): string =>
  `This is for the role ${wanted}; ${name} has ${role}.`

/** What whoever has not said who he is gets to hear. */
export const whoAreYou =
  "Say who you are: `Authorization: Bearer TOKEN` of one of `admin.users`, its certificate, or a session of the console."
