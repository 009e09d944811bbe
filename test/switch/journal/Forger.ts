/**
 * Somebody who may write every file of a journal and knows all of its format, but does not have its key: what he changes, he
 * hashes, chains and anchors anew, with tags of a key of his own.
 */
import { createRequire } from "node:module"
import { join } from "node:path"
import type BetterSqlite3 from "better-sqlite3"
import { Anchor, anchorFile } from "../../../packages/switch/src/journal/Anchor.ts"
import {
  chainHash,
  digestOf,
  GROUP_HEADER_LENGTH,
  genesisHash,
  groupAt
} from "../../../packages/switch/src/journal/CommitGroup.ts"
import { ENTRY_HEADER_LENGTH, entryAt, entryLength } from "../../../packages/switch/src/journal/Entry.ts"
import { Seal } from "../../../packages/switch/src/journal/Seal.ts"
import { headText, markText, nameText } from "../../../packages/switch/src/journal/Tag.ts"
import { testKey } from "./Journals.ts"

const Database = createRequire(new URL("../../../packages/switch/package.json", import.meta.url))(
  "better-sqlite3"
) as typeof BetterSqlite3

/** A group as the forger has it in hand. */
export interface ForgedGroup {
  readonly first: number
  readonly last: number
  readonly sealed: number
  bytes: Buffer
}

/**
 * How he signs: with his own key, with that and the id of the journal's, or, which shows that he forgets nothing, with the
 * journal's key itself.
 */
export type Signature = "own" | "pretended" | "stolen"

/** Code and message of an entry, as views that may be written to. */
export const entryIn = ({ first, bytes }: ForgedGroup, seq: number): { code: Buffer; message: Buffer } => {
  let at = GROUP_HEADER_LENGTH
  for (let n = first; n < seq; n++) at += entryLength(bytes, at)
  const codeAt = at + ENTRY_HEADER_LENGTH
  const messageAt = codeAt + bytes.readUInt16BE(at + entryAt.codeLength)
  return {
    code: bytes.subarray(codeAt, messageAt),
    message: bytes.subarray(messageAt, messageAt + bytes.readUInt32BE(at + entryAt.messageLength))
  }
}

/** Rewrites the journal of a directory: `change` may edit, swap, add and drop groups. All that needs no key fits afterwards. */
export const forge = (
  directory: string,
  change: (groups: Array<ForgedGroup>) => void,
  signature: Signature = "own"
): void => {
  const database = new Database(join(directory, "journal.db"))
  const journalId = database.prepare("SELECT journal_id FROM meta").pluck().get() as string
  const keyId = database.prepare("SELECT substr(tag, 1, 4) FROM commit_group").pluck().get() as Buffer
  const own = new Seal(signature === "stolen" ? testKey : Buffer.alloc(32, 0x66))
  const tagOf = (text: Buffer): Buffer => {
    const tag = own.tag(text)
    if (signature === "pretended") tag.set(keyId)
    return tag
  }
  const groups = database
    .prepare("SELECT first, last, sealed, bytes FROM commit_group ORDER BY first")
    .all() as Array<ForgedGroup>
  change(groups)
  database.exec("DELETE FROM commit_group")
  let previous = genesisHash(journalId)
  for (const { first, last, sealed, bytes } of groups) {
    previous.copy(bytes, groupAt.previous)
    const end = bytes.length - sealed
    previous = chainHash(digestOf(bytes, end), bytes.subarray(end))
    const tag = tagOf(headText(journalId, last, previous))
    database.prepare("INSERT INTO commit_group VALUES (?,?,?,?,?,?)").run(first, last, sealed, previous, tag, bytes)
  }
  const last = groups.at(-1)?.last ?? 0
  database.prepare("DELETE FROM mark WHERE seq > ?").run(last)
  for (const { seq, counts } of database.prepare("SELECT seq, counts FROM mark").all() as Array<{
    seq: number
    counts: string
  }>) {
    database.prepare("UPDATE mark SET tag = ? WHERE seq = ?").run(tagOf(markText(journalId, seq, counts)), seq)
  }
  for (const { id, name, dialect } of database.prepare("SELECT id, name, dialect FROM name").all() as Array<{
    id: number
    name: string
    dialect: string
  }>) {
    database.prepare("UPDATE name SET tag = ? WHERE id = ?").run(tagOf(nameText(journalId, id, name, dialect)), id)
  }
  database.close()
  const anchor = new Anchor(join(directory, anchorFile), journalId, -1)
  anchor.write(0, genesisHash(journalId), tagOf(headText(journalId, 0, genesisHash(journalId))))
  anchor.write(last, previous, tagOf(headText(journalId, last, previous)))
  anchor.close()
}
