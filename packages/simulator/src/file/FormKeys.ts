/** The keys that say how messages look on a link: `dialect`, `frame`, `mac`. The same in every file that speaks of links. */
import { dialects } from "@jinka/codec"
import {
  dialectOf,
  dialectOfText,
  isDialectFile,
  makeWireFormat,
  type WireFormat,
  wireFormatNames
} from "../dialogue/WireFormat.ts"
import { type MacSettings, macNames, makeMac } from "../message/MessageMac.ts"
import { frameNamed, frameNames } from "./FrameFile.ts"
import { suggestion } from "./Nearest.ts"
import { besideText, hexBytes, invalidAt, oneOf, type Section, section, text, type Value } from "./Section.ts"

const dialect = (value: Value, key: string) => {
  const name = text(value, key)
  if (isDialectFile(name)) {
    const read = dialectOfText(besideText(value, key))
    if (typeof read !== "string") return read
    throw invalidAt(value, `${key}: ${name} is no dialect file: ${read}`)
  }
  const known = dialectOf(name)
  if (known !== undefined) return known
  throw invalidAt(
    value,
    `${key}: no dialect "${name}" ships, and it is no dialect file (./ours.yaml); ${suggestion(name, wireFormatNames)}`
  )
}

/** `dialect` and `frame`; with `usual` what stands for a dialect that is not named. */
export const formKeys = (from: Section, usual?: keyof typeof dialects): WireFormat | undefined => {
  const named = from.get("dialect", dialect) ?? (usual === undefined ? undefined : dialects[usual])
  const frame = from.get("frame", oneOf(frameNames))
  if (named === undefined && frame !== undefined) throw from.wrong("frame", "it needs a dialect beside it")
  return named === undefined ? undefined : makeWireFormat(named, frameNamed(frame ?? ""))
}

const macSection = section((keys): MacSettings => {
  const algorithm = keys.need("algorithm", oneOf(macNames))
  const key = keys.need("key", hexBytes)
  const made = makeMac(algorithm, key, keys.get("over", oneOf(["message", "cups"])) ?? "message")
  if (typeof made !== "string") return made
  throw keys.wrong("key", made)
})

/** `mac: { algorithm, key, over }`. */
export const macKey = (from: Section): MacSettings | undefined => from.get("mac", macSection)
