/**
 * The open files that this process keeps back from its partners: for the control socket, the journal's files, certificates and
 * the kernel's own view. Without them an operator could not ask a crowded switch what is wrong with it.
 */
import { readFileSync } from "node:fs"
import type { Socket } from "node:net"

/** Kept back: some ten for the control socket's callers, the rest for files that are opened now and then. */
const RESERVED = 16

/** The limit of this process (proc_pid_limits(5)); Node has raised the soft one to the hard one. Infinite where nobody knows. */
const limitOf = (): number => {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? "Infinity")
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

let limit: number | undefined

/**
 * Whether a new socket has one of the handles that are kept back. The kernel gives the lowest free number (POSIX open(2)), so its
 * own number says that all below it are taken.
 */
export const isReserved = (socket: Socket): boolean => {
  limit ??= limitOf()
  const handle = (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle
  return (handle?.fd ?? -1) >= limit - RESERVED
}
