/** The keys that say how TLS is spoken on a link: `certificate`, `key`, `ca`, `name`. The same in partner files and dialogues. */
import type { TlsMaterial } from "../link/TlsSide.ts"
import { mapOf } from "./MapReader.ts"
import { eachOf, expected, filledOf, invalidAt, textOf, type Yaml } from "./YamlNodes.ts"

/** Gives the bytes of a file that another file names, seen from that file; throws what the system says. */
export type ReadBytes = (path: string) => Buffer

const pemOf =
  (read: ReadBytes) =>
  (yaml: Yaml): Buffer => {
    const path = filledOf(yaml)
    const pem = (() => {
      try {
        return read(path)
      } catch {
        throw invalidAt(yaml, `${path} cannot be read`)
      }
    })()
    if (pem.includes("-----BEGIN ")) return pem
    throw expected(yaml, `a file in PEM (-----BEGIN ...); ${path} is none, and one`)
  }

/** A reader for `tls`. Throws `FileInvalid`. */
export const tlsOf = (read: ReadBytes): ((yaml: Yaml) => TlsMaterial) =>
  mapOf("tls", (map) => {
    const material: TlsMaterial = {
      certificate: map.get("certificate", pemOf(read)),
      key: map.get("key", pemOf(read)),
      ca: map.get("ca", eachOf(pemOf(read))) ?? [],
      name: map.get("name", textOf)
    }
    if ((material.certificate === undefined) !== (material.key === undefined)) {
      throw map.wrong("certificate", "certificate and key belong together: give both")
    }
    return material
  })

/** What is missing for this side of a link; `undefined`: nothing. */
export const tlsWrong = (role: "dial" | "listen", { ca, certificate }: TlsMaterial): string | undefined => {
  if (role === "listen" && certificate === undefined) return "a side that listens needs a certificate and its key"
  if (role === "dial" && ca.length === 0) {
    return "a side that connects needs `ca`: the authorities of the far side's certificate"
  }
  return undefined
}
