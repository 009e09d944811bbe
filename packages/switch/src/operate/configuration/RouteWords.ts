/** What a route takes, in words: in what `check` says of a configuration and a reload of its changes. Pure. */
import type { ConfigurationDocument } from "./ConfigurationDocument.ts"

/** `card numbers 62...`, `institution 01020000`, `types 0800 0820 from terminals`. */
export const routeWords = ({ bin, codes, from, institution, mti }: ConfigurationDocument["routes"][number]): string => {
  if (bin !== undefined) return `card numbers ${bin}...`
  if (institution !== undefined) return `institution ${institution}`
  const only = codes === undefined ? "" : ` with ${codes.join(" ")}`
  return `types ${(mti ?? []).join(" ")}${only}${from === undefined ? "" : ` from ${from}`}`
}
