/**
 * A link in a file of its own, for commands that take `--link`: how it speaks, its MAC key and its TLS, in the words of a load
 * file.
 */
import { dirname, isAbsolute, relative, resolve } from "node:path"
import type { Effect } from "effect"
import { isDialectFile, type WireFormat } from "../dialogue/WireFormat.ts"
import type { TlsMaterial } from "../link/TlsSide.ts"
import type { MacSettings } from "../message/MessageMac.ts"
import type { FileInvalid } from "./FileInvalid.ts"
import { dialTlsKey, formKeys, listenTlsKey, macKey } from "./FormKeys.ts"
import { readFile } from "./MapReader.ts"
import { filledOf, type Yaml } from "./YamlNodes.ts"

/** A link as a command has it, on the side that it takes. */
export interface LinkSide {
  readonly form: WireFormat
  readonly mac: MacSettings | undefined
  readonly tls: TlsMaterial | undefined
}

/** Reads the link of a command that dials or listens: `dialect`, `frame`, `mac`, `tls`. */
export const readLinkFile = (file: string, isDialled: boolean): Effect.Effect<LinkSide, FileInvalid> =>
  readFile(file, (top) => {
    const form = formKeys(top, "cups")!
    return { form, mac: macKey(top, form), tls: isDialled ? dialTlsKey(top) : listenTlsKey(top, "tls") }
  })

/** A line that a command is in the middle of, and how a dialogue writes it. */
export interface LineSides {
  readonly form: WireFormat
  readonly mac: MacSettings | undefined
  readonly listenTls: TlsMaterial | undefined
  readonly targetTls: TlsMaterial | undefined
  /** As YAML; `undefined`: the file says nothing of it. Paths are as seen from the dialogue. */
  readonly written: {
    readonly dialect: string | undefined
    readonly frame: string | undefined
    readonly tls: string | undefined
  }
}

/** A value as it is written on one line; `change` gives other texts for some. */
const flowText = (yaml: Yaml, change: (text: string) => string = (text) => text): string => {
  if (yaml.kind === "text") return JSON.stringify(change(yaml.text))
  if (yaml.kind === "list") return `[${yaml.items.map((item) => flowText(item, change)).join(", ")}]`
  const entries = [...yaml.entries].map(([key, value]) => {
    // The name of a certificate is the one text that is no path.
    return `${key}: ${flowText(value, key === "name" ? undefined : change)}`
  })
  return `{ ${entries.join(", ")} }`
}

/** The path of a file, as a dialogue in `folder` names it. */
export const pathFrom = (folder: string, path: string): string => {
  const seen = relative(folder, path)
  return seen.startsWith(".") || isAbsolute(seen) ? seen : `./${seen}`
}

/** Reads the line of a command that listens and dials: `dialect`, `frame`, `mac`, `listen tls`, `target tls`. */
export const readLineFile = (file: string, dialogue: string): Effect.Effect<LineSides, FileInvalid> =>
  readFile(file, (top) => {
    const seen = (path: string): string => pathFrom(dirname(dialogue), resolve(dirname(file), path))
    const form = formKeys(top, "cups")!
    const dialect = top.get("dialect", filledOf)
    return {
      form,
      mac: macKey(top, form),
      listenTls: listenTlsKey(top, "listen tls"),
      targetTls: dialTlsKey(top, "target tls"),
      written: {
        dialect: dialect !== undefined && isDialectFile(dialect) ? seen(dialect) : dialect,
        frame: top.get("frame", (yaml) => flowText(yaml)),
        tls: top.get("target tls", (yaml) => flowText(yaml, seen))
      }
    }
  })
