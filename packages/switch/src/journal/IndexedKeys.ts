/**
 * What the search index keeps of keys. Apart from what reads keys out of messages, because the journal's thread begins
 * without the codec and without Effect: to load them takes longer than to open the journal.
 */
import { hash } from "node:crypto"
import type { Asked, SearchKeys } from "./JournalStore.ts"

/** Most results of a search. */
export const FIND_MAX = 1000

/** Most exchanges that one key gives. */
export const RECALL_MAX = 8

/** Keys of a message that has none, or that cannot be read. */
export const noSearchKeys: SearchKeys = { stan: -1, rrn: "" }

/** 48 bits of a hash that only who has the journal can know: a partner cannot choose keys that meet in the index. */
export const askedHash = (journalId: string, { link, kind, key }: Asked): number => {
  const digest = hash("sha256", `${journalId}\n${link}\n${kind}\n${key}`, "buffer")
  return digest.readUIntBE(0, 6)
}
