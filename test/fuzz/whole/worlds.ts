/** The worlds of the whole-switch fuzz, drawn from a seed: every dialect on both sides, and what changes a message's way. */
import { type Dialect, dialects } from "@jinka/codec"
import { Chance } from "../../codec/fuzz/Mutation.ts"
import type { World } from "./Whole.ts"

const all: ReadonlyArray<Dialect> = Object.values(dialects)

/** World number `seed`: the dialects go round, so that as many worlds as there are dialects have each of them on either side. */
export const worldOf = (seed: number, rounds: number): World => {
  const chance = new Chance(seed)
  const from = all[seed % all.length]!
  const same = all.filter(({ match }) => match !== undefined)
  return {
    from,
    to: chance.below(2) === 0 ? from : same[chance.below(same.length)]!,
    stan: chance.below(3) === 0 ? "own" : "callers",
    identity: chance.below(2) === 0 ? "checked" : "unchecked",
    grouped: chance.below(4) === 0,
    replays: seed <= all.length,
    seed,
    rounds
  }
}

/** A world in a word, for a failure. */
export const worldText = ({ from, grouped, identity, rounds, seed, stan, to }: World): string =>
  `seed ${seed}, ${rounds} rounds: ${from.name} to ${to.name}, stan ${stan}, identity ${identity}${grouped ? ", a group" : ""}`
