/** The keys that say how messages look on a link: `dialect`, `frame`, `mac`. The same in every file that speaks of links. */
import { type Dialect, dialects } from "@jinka/codec"
import {
  dialectOf,
  dialectOfText,
  isDialectFile,
  makeWireFormat,
  type WireFormat,
  wireFormatNames
} from "../dialogue/WireFormat.ts"
import { type MacSettings, macNames, makeMac } from "../message/MessageMac.ts"
import { frameOf } from "./FrameFile.ts"
import { type MapReader, mapOf } from "./MapReader.ts"
import { knownNames } from "./Nearest.ts"
import { besideText, filledOf, hexOf, invalidAt, oneOf, type Yaml } from "./YamlNodes.ts"

/** A reader for a dialect that ships, or a dialect file whose text `read` gives. */
export const namedDialectOf =
  (read: (yaml: Yaml) => string) =>
  (yaml: Yaml): Dialect => {
    const name = filledOf(yaml)
    const known = dialectOf(name)
    if (known !== undefined) return known
    if (!isDialectFile(name)) {
      const names = knownNames(name, wireFormatNames)
      throw invalidAt(yaml, `no dialect "${name}" is known; ${names}, and dialect files (./ours.yaml)`)
    }
    const dialect = dialectOfText(read(yaml))
    if (typeof dialect !== "string") return dialect
    throw invalidAt(yaml, `${name} is no dialect file: ${dialect}`)
  }

/** `dialect` and `frame`; with `usual` what stands for a dialect that is not named. */
export const formKeys = (from: MapReader, usual?: keyof typeof dialects): WireFormat | undefined => {
  const named = from.get("dialect", namedDialectOf(besideText)) ?? (usual === undefined ? undefined : dialects[usual])
  const frame = from.get("frame", frameOf)
  if (named === undefined && frame !== undefined) throw from.wrong("frame", "it needs a dialect beside it")
  return named === undefined ? undefined : makeWireFormat(named, frame)
}

const macOf = mapOf("mac", (keys): MacSettings => {
  const algorithm = keys.need("algorithm", oneOf(macNames))
  const key = keys.need("key", hexOf)
  const made = makeMac(algorithm, key, keys.get("over", oneOf(["message", "cups"])) ?? "message")
  if (typeof made !== "string") return made
  throw keys.wrong("key", made)
})

/** `mac: { algorithm, key, over }`. */
export const macKey = (from: MapReader): MacSettings | undefined => from.get("mac", macOf)
