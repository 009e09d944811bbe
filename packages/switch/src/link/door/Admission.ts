/**
 * Who may come in at a listening address: the allow-list, how many connections at once and how many new ones a second. Pure: it
 * is told each arrival and each end, with the time.
 *
 * Its memory is bounded whoever knocks: one entry for each source that is in, or that came in the last second, and never more
 * than `SOURCES_MAX`.
 */
import { type AddressList, sourceOf } from "./Addresses.ts"

/** How many may come in. */
export interface AdmissionLimits {
  /** Connections at once, whoever they are from. */
  readonly connections: number
  /** Connections of one address (IPv6: of one /64) at once. */
  readonly perSource: number
  /** New connections of one address in a second; as many may come in a burst. */
  readonly newPerSecond: number
  /** Connections at once that nobody owns yet: in their handshake, or before their first message. */
  readonly pending: number
}

/** Why a connection is turned away before a byte of it was read. Stable names: docs/reference/errors.md. */
export type Refusal = "PeerNotAllowed" | "DoorFull" | "SourceFull" | "SourceTooFast"

/** Sources that are remembered at once. */
const SOURCES_MAX = 16_384

/** Pause between two looks for sources that can be forgotten: a look costs as much as there are sources. */
const FORGET_EVERY_MS = 250

/** One address: its connections, and the arrivals that it has left (a token bucket). */
interface Source {
  open: number
  left: number
  at: number
}

/** The counts of one listening address. Times are monotonic milliseconds. */
export class Admission {
  /** Connections that are in. */
  open = 0
  /** Of them, those that nobody owns yet. */
  pending = 0
  /** The allow-list; a reload may bring another. */
  allowed: AddressList
  /** A reload may bring others; whoever is in stays. */
  limits: AdmissionLimits
  private readonly sources = new Map<string, Source>()
  private forgotAt = Number.NEGATIVE_INFINITY

  constructor(limits: AdmissionLimits, allowed: AddressList) {
    this.limits = limits
    this.allowed = allowed
  }

  /** A connection arrives: lets it in (`undefined`), to be told `decided` and `gone` later, or says why not. */
  arrive(address: string, now: number): Refusal | undefined {
    const { connections, newPerSecond, pending, perSource } = this.limits
    if (!this.allowed.has(address)) return "PeerNotAllowed"
    if (this.open >= connections || this.pending >= pending) return "DoorFull"
    const source = this.sources.get(sourceOf(address)) ?? this.newSource(sourceOf(address), now)
    if (source === undefined) return "DoorFull"
    source.left = Math.min(newPerSecond, source.left + ((now - source.at) / 1000) * newPerSecond)
    source.at = now
    if (source.open >= perSource) return "SourceFull"
    if (source.left < 1) return "SourceTooFast"
    source.left--
    source.open++
    this.open++
    this.pending++
    return undefined
  }

  /** A connection that is in belongs to a link now, or was turned away after all: it is pending no longer. */
  decided(): void {
    this.pending = Math.max(0, this.pending - 1)
  }

  /** A connection that was in is gone. */
  gone(address: string): void {
    this.open--
    const source = this.sources.get(sourceOf(address))
    if (source !== undefined) source.open--
  }

  /** Addresses that are remembered now. */
  get remembered(): number {
    return this.sources.size
  }

  private newSource(name: string, now: number): Source | undefined {
    if (this.sources.size >= SOURCES_MAX) this.forget(now)
    if (this.sources.size >= SOURCES_MAX) return undefined
    const source = { open: 0, left: this.limits.newPerSecond, at: now }
    this.sources.set(name, source)
    return source
  }

  /** Drops the sources that would be let in as if they had never come. */
  private forget(now: number): void {
    if (now - this.forgotAt < FORGET_EVERY_MS) return
    this.forgotAt = now
    for (const [name, { open, at }] of this.sources) if (open === 0 && now - at >= 1000) this.sources.delete(name)
  }
}
