/**
 * The bytes of anything that has a path: a file, a pipe, what the shell's `<(...)` makes. They are read in order and once; the
 * platform's own stream asks for positions, which a pipe does not have.
 */
import { createReadStream } from "node:fs"
import { Effect, Stream } from "effect"
import { fileWordsOfCode } from "../journal/FileWords.ts"

/** The bytes behind a path; fails with why they cannot be read, in words. */
export const fileBytes = (path: string): Stream.Stream<Uint8Array, string> =>
  Stream.unwrap(
    Effect.sync(() =>
      Stream.fromAsyncIterable<Uint8Array, string>(createReadStream(path), (error) =>
        fileWordsOfCode((error as { readonly code?: string }).code)
      )
    )
  )
