/** How an answer is matched to the request that it claims to answer. */
import { answerMti, type PartnerMessage, textOf } from "../message/PartnerMessage.ts"

/** Fields that an answer must carry unchanged when both have them: PAN, processing code, amount, RRN, terminal, merchant. */
const echoed = [2, 3, 4, 37, 41, 42]

/**
 * What in an answer does not fit its request, by name ("MTI", "F37"); undefined when all fits. The key alone is not
 * enough: an answer mixed up on the way may carry the right key and another cardholder's result.
 */
export const misfitOf = (request: PartnerMessage, answer: PartnerMessage): string | undefined => {
  if (answer.mti !== answerMti(request.mti)) return "MTI"
  const wrong = echoed.find((de) => {
    const given = textOf(answer, de)
    return given !== "" && given !== textOf(request, de)
  })
  return wrong === undefined ? undefined : `F${wrong}`
}
