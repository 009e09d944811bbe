/**
 * Dialect files that links name: a partner's field table as YAML, read with the codec's own reader.
 */
import { type Dialect, type DialectInvalid, readDialect } from "@jinka/codec"
import { Effect, FileSystem, Path } from "effect"
import { fileWords } from "../../journal/FileWords.ts"
import { type Catalogue, isDialectFile, known, shippedDialects } from "./Shipped.ts"
import type { Draft } from "./text/Draft.ts"
import { error, type Finding } from "./text/Problem.ts"

/** The dialects of a configuration's own files by the paths that links name, and what is wrong with these files. */
export interface ReadDialects {
  readonly dialects: Readonly<Record<string, Dialect>>
  readonly findings: ReadonlyArray<Finding>
}

const isInvalid = (read: Dialect | DialectInvalid): read is DialectInvalid => "_tag" in read

/** A dialect from the text of a file; a sentence when it is none. */
export const dialectOfText = (text: string): Dialect | string => {
  const read = readDialect(text)
  if (isInvalid(read)) return read.path === "" ? read.rule : `${read.path}: ${read.rule}`
  // The journal writes it on a line of its own.
  if (read.name.includes("\n")) return "name: a name of one line is expected"
  return Object.hasOwn(shippedDialects, read.name) ? `its name, ${read.name}, is that of a shipped dialect` : read
}

/** Reads the files that the links of a draft name, each once. `directory` is what their paths start from. */
export const readDialects = Effect.fnUntraced(function* (
  draft: Draft,
  directory: string
): Effect.fn.Return<ReadDialects, never, FileSystem.FileSystem | Path.Path> {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const own: Record<string, Dialect> = {}
  const findings: Array<Finding> = []
  for (const link of draft.part("links").entries) {
    const { text, path: place } = link.part("dialect")
    if (text === undefined || !isDialectFile(text) || Object.hasOwn(own, text)) continue
    const read = yield* files.readFileString(path.resolve(directory, text)).pipe(
      Effect.map(dialectOfText),
      Effect.catch(({ reason }) => Effect.succeed(fileWords(reason)))
    )
    const wrong = typeof read === "string" ? read : sameName(read, own)
    if (wrong !== undefined)
      findings.push(error(place, `the dialect file cannot be used: ${wrong}`, "Correct that file."))
    else if (typeof read !== "string") own[text] = read
  }
  return { dialects: own, findings }
})

/** All dialects that links may name: the shipped ones and these. */
export const catalogueWith = (dialects: Readonly<Record<string, Dialect>>): Catalogue => ({
  ...shippedDialects,
  ...Object.fromEntries(Object.entries(dialects).map(([name, dialect]) => [name, known(dialect)]))
})

/** The journal tells dialects apart by their names. */
const sameName = ({ name }: Dialect, own: Readonly<Record<string, Dialect>>): string | undefined => {
  const other = Object.entries(own).find(([, dialect]) => dialect.name === name)
  return other === undefined ? undefined : `its name, ${name}, is that of ${other[0]} too`
}
