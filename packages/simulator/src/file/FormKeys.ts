/**
 * The keys that say how a link speaks: `dialect`, `frame`, `mac` and those for TLS. The same in every file that speaks of links.
 */
import { dirname, resolve } from "node:path"
import { type Dialect, dialects } from "@jinka/codec"
import {
  dialectOf,
  dialectOfText,
  isDialectFile,
  makeWireFormat,
  type WireFormat,
  wireFormatNames
} from "../dialogue/WireFormat.ts"
import type { TlsMaterial } from "../link/TlsSide.ts"
import { type MacSettings, macNames, makeMac } from "../message/MessageMac.ts"
import { bytesOfFile } from "./FileBytes.ts"
import { frameOf } from "./FrameFile.ts"
import { type MapReader, mapOf } from "./MapReader.ts"
import { knownNames } from "./Nearest.ts"
import { tlsOf, tlsWrong } from "./TlsKeys.ts"
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

/** `dialect` and `frame`; with `usual` what is taken for a dialect that is not named. */
export const formKeys = (from: MapReader, usual?: keyof typeof dialects): WireFormat | undefined => {
  const named = from.get("dialect", namedDialectOf(besideText)) ?? (usual === undefined ? undefined : dialects[usual])
  const frame = from.get("frame", frameOf)
  if (named === undefined && frame !== undefined) throw from.wrong("frame", "it needs a dialect beside it")
  return named === undefined ? undefined : makeWireFormat(named, frame)
}

const macOf = (form: WireFormat | undefined) =>
  mapOf("mac", (keys): MacSettings => {
    const hasWord = form?.codec.dialect.security?.mac !== undefined
    const algorithm = keys.need("algorithm", oneOf(macNames))
    const key = keys.need("key", hexOf)
    const over = keys.get("over", oneOf(["dialect", "message", "cups"] as const)) ?? (hasWord ? "dialect" : "message")
    if (over === "dialect" && !hasWord) {
      const named = form === undefined ? "no dialect is named, and" : `the dialect ${form.codec.dialect.name}`
      throw keys.wrong("over", `${named} does not say what a MAC covers (\`security.mac\`): say "message" or "cups"`)
    }
    const made = makeMac(algorithm, key, over)
    if (typeof made !== "string") return made
    throw keys.wrong("key", made)
  })

/** `mac: { algorithm, key, over }` of a link that speaks so. */
export const macKey = (from: MapReader, form: WireFormat | undefined): MacSettings | undefined =>
  from.get("mac", macOf(form))

/** A reader for a link's TLS with its files beside the file that names them. */
const tlsFiles = (yaml: Yaml): TlsMaterial => tlsOf((path) => bytesOfFile(resolve(dirname(yaml.file), path)))(yaml)

/** `tls` of a link of whichever side; `modeKeys` says what is missing for the side that this end is. */
export const tlsKey = (from: MapReader): TlsMaterial | undefined => from.get("tls", tlsFiles)

/** The same for the side that this end is. */
const tlsBeside =
  (role: "dial" | "listen") =>
  (yaml: Yaml): TlsMaterial => {
    const material = tlsFiles(yaml)
    const wrong = tlsWrong(role, material)
    if (wrong !== undefined) throw invalidAt(yaml, `${yaml.key}: ${wrong}`)
    return material
  }

/** `tls` of a link that is dialled, or another key that says the same. */
export const dialTlsKey = (from: MapReader, key = "tls"): TlsMaterial | undefined => from.get(key, tlsBeside("dial"))

/** TLS of an address that is listened on. */
export const listenTlsKey = (from: MapReader, key: string): TlsMaterial | undefined =>
  from.get(key, tlsBeside("listen"))
