/**
 * The kernel's view of our TCP connections, from `/proc/net/tcp` and `/proc/net/tcp6` (Linux, proc(5) and proc_net_tcp.txt).
 *
 * Both files are read once for a whole status and looked through for the addresses that are asked for; nothing runs beside it.
 * Where there is no `/proc` the view is absent, with the reason.
 */
import { Effect, FileSystem } from "effect"
import { fileWords } from "../../journal/FileWords.ts"

/** One connection as the kernel has it. */
export interface KernelSocket {
  /** `ESTABLISHED`, `CLOSE_WAIT` ... */
  readonly state: string
  /** Bytes written that the partner has not acknowledged, and bytes that have come and we have not read. */
  readonly sendQueue: number
  readonly receiveQueue: number
  /** Times that the oldest unacknowledged bytes were sent again. */
  readonly retransmits: number
  /** What the kernel waits for: `none`, `retransmit`, `keepalive`, `time wait`, `zero window probe`. */
  readonly timer: string
  /** Milliseconds until it acts; 0 without a timer. */
  readonly timerMs: number
}

/** What was found, by `keyOf` of both addresses; or why nothing could be. */
export type KernelView =
  | { readonly _tag: "seen"; readonly sockets: ReadonlyMap<string, KernelSocket> }
  | { readonly _tag: "absent"; readonly why: string }

/** States by their number in `st` (include/net/tcp_states.h). */
const states: Readonly<Record<string, string>> = {
  "01": "ESTABLISHED",
  "02": "SYN_SENT",
  "03": "SYN_RECV",
  "04": "FIN_WAIT1",
  "05": "FIN_WAIT2",
  "06": "TIME_WAIT",
  "07": "CLOSE",
  "08": "CLOSE_WAIT",
  "09": "LAST_ACK",
  "0A": "LISTEN",
  "0B": "CLOSING",
  "0C": "NEW_SYN_RECV"
}

const timers: Readonly<Record<string, string>> = {
  "00": "none",
  "01": "retransmit",
  "02": "keepalive",
  "03": "time wait",
  "04": "zero window probe"
}

/** Milliseconds of one tick in `tm->when`: USER_HZ is 100 on every Linux. */
const TICK_MS = 10

/** The sixteen bytes of an IPv6 address as hex digits; `undefined` when the text is none. */
const ipv6Hex = (text: string): string | undefined => {
  const [head = "", tail] = text.replace(/%.*$/, "").split("::")
  const words = (part: string) => (part === "" ? [] : part.split(":").flatMap(word16))
  const front = words(head)
  const back = tail === undefined ? [] : words(tail)
  const missing = 8 - front.length - back.length
  if (missing < 0 || (tail === undefined && missing !== 0)) return undefined
  return [...front, ...new Array<string>(missing).fill("0000"), ...back].join("").toUpperCase()
}

/** One group of an address, or the two of an IPv4 address at its end. */
const word16 = (group: string): ReadonlyArray<string> => {
  if (!group.includes(".")) return [group.padStart(4, "0")]
  const hex = ipv4Hex(group)
  return [hex.slice(0, 4), hex.slice(4)]
}

const ipv4Hex = (text: string): string =>
  text
    .split(".")
    .map((part) => Number(part).toString(16).padStart(2, "0").toUpperCase())
    .join("")

const mapped = "00000000000000000000FFFF"

/** An IPv4-mapped address and the IPv4 address are one. */
const plain = (hex: string): string => (hex.startsWith(mapped) ? hex.slice(mapped.length) : hex)

/** `host:port` (an IPv6 host without brackets) as address bytes and port in hex. */
const endHex = (end: string): string => {
  const colon = end.lastIndexOf(":")
  const host = end.slice(0, colon).replace(/^\[|\]$/g, "")
  const address = host.includes(":") ? ipv6Hex(host) : ipv4Hex(host)
  return `${plain(address ?? host)}:${Number(end.slice(colon + 1))
    .toString(16)
    .padStart(4, "0")
    .toUpperCase()}`
}

/** The name of a connection: the same for `127.0.0.1`, `::ffff:127.0.0.1` and what `/proc` writes for both. */
export const keyOf = (local: string, remote: string): string => `${endHex(local)} ${endHex(remote)}`

/** What `/proc` writes: 32-bit words in the byte order of the machine, which is little-endian wherever Node runs. */
const inProc = (end: string): string => {
  const [address = "", port = ""] = end.split(":")
  return `${address.replace(/(..)(..)(..)(..)/g, "$4$3$2$1")}:${port}`
}

/** Both ways in which `/proc` writes a connection: of IPv4 in `tcp`, mapped into IPv6 in `tcp6`. */
const namesInProc = (key: string): ReadonlyArray<string> => {
  const ends = key.split(" ")
  return ["", mapped].map((before) => ends.map((end) => inProc(before + end)).join(" "))
}

/**
 * The connections of one file that are asked for. Lines that are none are passed over. A machine may have ten thousand others: of
 * a line only the two addresses are looked at, as they stand there, until it is one of ours.
 */
export const socketsIn = (text: string, wanted: ReadonlySet<string>): Map<string, KernelSocket> => {
  const found = new Map<string, KernelSocket>()
  const keys = new Map([...wanted].flatMap((key) => namesInProc(key).map((name) => [name, key] as const)))
  for (let begin = text.indexOf("\n") + 1; begin > 0; begin = text.indexOf("\n", begin) + 1) {
    const from = text.indexOf(": ", begin) + 2
    const to = text.indexOf(" ", text.indexOf(" ", from) + 1)
    const key = keys.get(text.slice(from, to))
    if (key === undefined) continue
    const [state = "", queues = "", timer = "", retransmits = "0"] = text.slice(to + 1, to + 100).split(/\s+/)
    if (state === "0A") continue
    const [sent = "0", received = "0"] = queues.split(":")
    const [active = "00", when = "0"] = timer.split(":")
    found.set(key, {
      state: states[state] ?? `state ${state}`,
      sendQueue: Number.parseInt(sent, 16),
      receiveQueue: Number.parseInt(received, 16),
      retransmits: Number.parseInt(retransmits, 16),
      timer: timers[active] ?? `timer ${active}`,
      timerMs: active === "00" ? 0 : Number.parseInt(when, 16) * TICK_MS
    })
  }
  return found
}

/** Reads both files and looks for the connections with these keys. Never fails. */
export const look = (wanted: ReadonlySet<string>): Effect.Effect<KernelView, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    if (wanted.size === 0) return { _tag: "seen", sockets: new Map() } as const
    const files = yield* FileSystem.FileSystem
    const four = yield* files.readFileString("/proc/net/tcp")
    // A kernel without IPv6 has no tcp6.
    const six = yield* Effect.orElseSucceed(files.readFileString("/proc/net/tcp6"), () => "")
    return { _tag: "seen", sockets: new Map([...socketsIn(four, wanted), ...socketsIn(six, wanted)]) } as const
  }).pipe(
    Effect.catch(({ reason }) =>
      Effect.succeed({ _tag: "absent", why: `/proc/net/tcp cannot be read here: ${fileWords(reason)}` } as const)
    )
  )
