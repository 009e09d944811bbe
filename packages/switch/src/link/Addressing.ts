/**
 * Whose names stand in a message's header when it leaves on a link: the partner as destination, us as source. Pure.
 */
import { type Dialect, PatchList } from "@jinka/codec"

/** Header parts that hold an institution's code, by the names that the shipped headers give them. */
const DESTINATION = "destination"
const SOURCE = "source"

const hasTextPart = (dialect: Dialect, name: string): boolean =>
  dialect.header?.parts.some((part) => part.name === name && part.form === "text") === true

/** Header values by part for a message from us to `institution`; empty for a dialect without addresses in its header. */
export const addresses = (
  dialect: Dialect,
  institution: string,
  ourInstitution: string
): { [part: string]: string } => ({
  ...(hasTextPart(dialect, DESTINATION) ? { [DESTINATION]: institution } : {}),
  ...(hasTextPart(dialect, SOURCE) ? { [SOURCE]: ourInstitution } : {})
})

/** The same as a patch list, made once for a link and used for every message that leaves on it. */
export const addressing = (dialect: Dialect, institution: string, ourInstitution: string): PatchList => {
  const patches = new PatchList()
  const parts = addresses(dialect, institution, ourInstitution)
  for (const [part, value] of Object.entries(parts)) {
    const { bytes } = dialect.header!.parts.find(({ name }) => name === part)!
    patches.header(part, Buffer.from(value.padEnd(bytes, " "), "latin1"))
  }
  return patches
}
