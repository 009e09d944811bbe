/** Reads what the switch hands to its connections and puts the money messages into the history. */

import { HTTP_PORT } from "../Names.ts"
import { FrameReader, keyOf, originalKeyOf, readMessage } from "../partner/Cups.ts"
import { partnerOf } from "../partner/Line.ts"
import { HttpReader } from "../world/HttpText.ts"
import type { Side } from "../world/Side.ts"
import type { Spell } from "../world/Spell.ts"
import type { World } from "../world/World.ts"
import type { History } from "./History.ts"

/**
 * A tap for `SimNet.taps`. `durable` says how many journal entries are on disk, if there is a journal; `refusing` when it
 * has little room or is away.
 */
export const tapInto = (
  history: History,
  world: World,
  host: string,
  durable: () => number | undefined,
  refusing: Spell
) => {
  const readers = new Map<Side, Messages>()
  const readerOf = (side: Side): Messages => {
    const known = readers.get(side)
    if (known !== undefined) return known
    for (const old of readers.keys()) if (!old.isOpen) readers.delete(old)
    const reader = side.local.endsWith(`:${HTTP_PORT}`) ? new Answers() : new FrameReader()
    readers.set(side, reader)
    return reader
  }
  const take = (side: Side, frame: Buffer): void => {
    if (frame.length === 0) return
    const message = readMessage(frame)
    const { mti, fields } = message
    if (mti === "0830" && fields[39] === "00" && (fields[70] === "201" || fields[70] === "202")) {
      const date = fields[15] ?? ""
      history.daysAnswered.push({ link: side.peerHost, date, isBegun: fields[70] === "201", durable: durable() })
    }
    if (mti.startsWith("08")) return
    history.written.push({
      ...{
        at: world.startsAt + world.nowMs,
        to: partnerOf(side.peerHost),
        connection: `${side.local}>${side.remote}`,
        mti
      },
      ...{ key: keyOf(message), originalKey: originalKeyOf(message), rrn: fields[37] ?? "" },
      ...{ amount: Number(fields[4]), code: fields[39], durable: durable() },
      isLow: refusing.wasSince((history.begun.get(fields[37] ?? "") ?? world.startsAt) - world.startsAt)
    })
  }
  return (side: Side, bytes: Buffer): void => {
    if (side.host !== host) return
    try {
      for (const frame of readerOf(side).read(Buffer.from(bytes))) take(side, frame)
    } catch (error) {
      history.findings.push(`the switch wrote bytes that nobody can read to ${side.peerHost}: ${String(error)}`)
    }
  }
}

/** Takes messages out of what is written to a connection. */
type Messages = Pick<FrameReader, "read">

/** Of HTTP answers those that hold a message. */
class Answers implements Messages {
  private readonly reader = new HttpReader()

  read(chunk: Buffer): Array<Buffer> {
    return this.reader.read(chunk).flatMap(({ body, first }) => (first.split(" ")[1] === "200" ? [body] : []))
  }
}
