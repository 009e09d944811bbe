/** HTTP calls as the transport gives them: a body and a way to answer. Nothing here knows messages. */
import type { PartnerIdentity } from "./Tls.ts"

/** How HTTP is listened for. */
export interface HttpLimits {
  /** Bytes of a body; more is answered 413. */
  readonly bodyMax: number
  /** From the connection to the end of its first request, milliseconds. */
  readonly requestMs: number
  /** From an answer to the end of the next request on the same connection (keep-alive), milliseconds. */
  readonly idleMs: number
}

/** One POST, whole. */
export interface HttpCall {
  /** Path without query. */
  readonly path: string
  /** Content type in lower case, without parameters. */
  readonly type: string
  /** How long it may have been there is written down (`Waited`). */
  readonly body: Buffer
  /** `host:port` of our side and of the caller's. */
  readonly local: string
  readonly remote: string
  readonly identity: PartnerIdentity | undefined
  /**
   * Answers; only the first call counts. `told` hears once whether the kernel has taken the whole answer; it has not when the
   * caller was gone, by FIN, reset or a time-out of ours.
   */
  readonly answer: (answer: HttpAnswer, told?: (isHanded: boolean) => void) => void
  /** Whether the caller has closed its half (FIN): then nobody answers it any more. */
  readonly hasClosed: () => boolean
  /** Breaks the caller's connection. */
  readonly abort: () => void
}

/** What a call is answered with. */
export interface HttpAnswer {
  readonly status: number
  readonly type: string
  readonly body: Buffer | string
  /** Seconds after which the caller may ask again. */
  readonly retryAfter?: number
}

/** An answer that says why there is no message in it; `error` is a stable name, and no value of a field is in `says`. */
export const problem = (status: number, error: string, says: string, retryAfter?: number): HttpAnswer => ({
  status,
  type: "application/json",
  body: JSON.stringify({ error, says }),
  ...(retryAfter === undefined ? {} : { retryAfter })
})
