/** The usual two links of the core tests, both up, and what is looked at in what they heard. */
import { Effect } from "effect"
import { type LinkAll, linkOf, makeDisk, startBench } from "./Bench.ts"

/** Who asks. */
export const acquirer = linkOf("acquirer", 4802)
/** Who answers. */
export const issuer = linkOf("issuer", 103)

/** The usual two links, both up. */
export const bench = (
  change: Partial<{ acquirer: Partial<LinkAll>; issuer: Partial<LinkAll> }> = {},
  disk = makeDisk()
) =>
  Effect.gen(function* () {
    const started = yield* startBench(
      [
        { ...acquirer, ...change.acquirer },
        { ...issuer, ...change.issuer }
      ],
      disk
    )
    const a = started.dial(0)
    const b = started.dial(1)
    yield* started.commit
    return { ...started, a, b }
  })

/** Their response codes. */
export const codes = (messages: ReadonlyArray<{ readonly fields: { readonly [de: number]: unknown } }>) =>
  messages.map(({ fields }) => fields[39])
/** Their message types. */
export const types = (messages: ReadonlyArray<{ readonly mti: string }>) => messages.map(({ mti }) => mti)
