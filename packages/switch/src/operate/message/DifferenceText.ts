/**
 * What differs between two messages as text: a table for people, a line of JSON for programs. Card data is covered unless
 * revealed; that two covered values differ is said all the same. Pure.
 */
import { type Codec, diff, explain } from "@jinka/codec"
import Table from "cli-table3"
import type { Input } from "./MessageInput.ts"
import type { Showing, Shown } from "./MessageText.ts"

/** How differences are shown. */
export interface ShowingDifferences extends Showing {
  readonly asTable: boolean
}

const missing = (one: Input | undefined, side: string): string | undefined => {
  if (one === undefined) return `the ${side} input has no such message`
  return one._tag === "wrong" ? `the ${side} message: ${one.why}` : undefined
}

/** The differences of the messages at place `at` (from 1) of two inputs; bad when one of them is missing or cannot be read. */
export const differenceText = (
  codec: Codec,
  at: number,
  left: Input | undefined,
  right: Input | undefined,
  { asTable, reveal, language }: ShowingDifferences
): Shown => {
  const wrong = missing(left, "first") ?? missing(right, "second")
  if (wrong !== undefined || left?._tag !== "message" || right?._tag !== "message")
    return { isGood: false, text: asTable ? `message ${at}: ${wrong}` : JSON.stringify({ at, says: wrong }) }
  const found = diff({ codec, buffer: left.bytes }, { codec, buffer: right.bytes }, { reveal, language })
  const stopped = [found.left, found.right].filter((error) => error !== undefined).map(explain)
  const isGood = stopped.length === 0
  if (!asTable) {
    const says = isGood ? {} : { says: stopped }
    return { isGood, text: JSON.stringify({ at, differences: found.rows, ...says }) }
  }
  const table = new Table({
    head: ["field", "name", "first", "second"],
    style: { head: [], border: [], compact: true }
  })
  for (const { id, name, left: before, right: after } of found.rows) table.push([id, name, before, after])
  const title = found.rows.length === 0 ? `message ${at}: no difference` : `message ${at}\n${table.toString()}`
  return { isGood, text: [title, ...stopped.map((says) => `wrong: ${says}`)].join("\n") }
}
