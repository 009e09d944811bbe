/**
 * Answers that the switch makes itself: refusals, timeouts, acknowledgements of advices. Pure.
 *
 * An answer is the request's own bytes with the response MTI and a response code, and without what an answer does not carry;
 * so every field that it echoes is identical to the last byte. Which fields it keeps is the dialect's data.
 */
import { type Layout, type MessageIndex, type PatchList, responseMti } from "@jinka/codec"

/** Fills `patches` so that the request of `index` becomes its answer with response code `code`. */
export const patch = (
  { answers, defined, roles }: Layout,
  index: MessageIndex,
  code: string,
  patches: PatchList
): PatchList => {
  patches.clear()
  patches.mti(responseMti(index.mti))
  for (const { de } of defined) if (index.has(de) && !answers.keeps.includes(de)) patches.remove(de)
  patches.set(roles.responseCode, code)
  patches.answer()
  return patches
}

/** Whether an answer, `stored` in the journal, holds nothing that an answer given again would leave out. */
export const isWhole = ({ answers, defined, roles }: Layout, stored: MessageIndex): boolean =>
  defined.every(
    ({ de }) =>
      !stored.has(de) || de === roles.responseCode || answers.keeps.includes(de) || answers.givenAgain.includes(de)
  )

/**
 * Fills `patches` so that a request that was seen before becomes the answer that was given to it: `stored`, from the journal. Of
 * a partial approval the amount is the answer's: the request's is more than was approved.
 */
export const patchAgain = (
  layout: Layout,
  index: MessageIndex,
  stored: MessageIndex,
  patches: PatchList
): PatchList => {
  const { answers, roles } = layout
  const code = stored.text(roles.responseCode)
  patch(layout, index, code, patches)
  const isPart = answers.partialApproval.includes(code)
  const again = isPart ? [roles.amount, ...answers.givenAgain] : answers.givenAgain
  for (const de of again) if (stored.has(de)) patches.set(de, stored.text(de))
  return patches
}
