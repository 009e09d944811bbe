/**
 * Answers that the switch makes itself: refusals, timeouts, acknowledgements of advices. Pure.
 *
 * An answer is the request's own bytes with the response MTI and a response code, and without what an answer does not carry;
 * so every field that it echoes is identical to the last byte.
 */
import { type MessageIndex, type PatchList, responseMti } from "@jinka/codec"

/**
 * Data elements that an answer of ours keeps from the request: the ones that identify it, and the amounts and currencies that
 * partners check. From the response columns of the CUPS field matrix; never track, PIN or chip data.
 */
const kept = new Set([2, 3, 4, 7, 11, 12, 13, 15, 18, 23, 25, 32, 33, 37, 38, 41, 42, 43, 49, 60, 70, 90, 100])

/** Fills `patches` so that the request of `index` becomes its answer with response code `code`. */
export const patch = (index: MessageIndex, code: string, patches: PatchList): PatchList => {
  patches.clear()
  patches.mti(responseMti(index.mti))
  for (let de = 2; de <= 128; de++) if (!kept.has(de) && index.has(de)) patches.remove(de)
  patches.set(39, code)
  patches.answer()
  return patches
}

/** Data elements of a stored answer that a repeated request gets again; what the request carries comes from the request. */
const givenAgain = [15, 37, 38, 39]

/** Fills `patches` so that a request that was seen before becomes the answer that was given to it: `stored`, from the journal. */
export const patchAgain = (index: MessageIndex, stored: MessageIndex, patches: PatchList): PatchList => {
  patch(index, stored.text(39), patches)
  for (const de of givenAgain) if (stored.has(de)) patches.set(de, stored.text(de))
  return patches
}
