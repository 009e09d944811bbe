/** Which answers of a load are as they should be, by their response codes. Pure. */
import { type Dialect, isSuccess, type ResponseClass, responseClass } from "@jinka/codec"

/** What a code says of an answer. */
export interface AnswerCodes {
  /** The system could not do its work, or the code is none that the load file names. */
  readonly isError: (code: string) => boolean
  /** The request was approved, or the load file names the code. */
  readonly isRight: (code: string) => boolean
}

/** Classes that decide nothing about a card: try again, too late, system trouble, keys. */
const undecided: ReadonlySet<ResponseClass> = new Set(["R", "T", "X", "K"])

/** An answer without a code is one: nothing says that it is wrong. */
export const anyCode: AnswerCodes = { isError: () => false, isRight: () => true }

/** The codes that a message names for its answers; without them the classes of the dialect decide. */
export const answerCodesOf = (dialect: Dialect, named: ReadonlySet<string> | undefined): AnswerCodes =>
  named === undefined
    ? {
        isError: (code) => code !== "" && undecided.has(responseClass(dialect, code)),
        isRight: (code) => code === "" || isSuccess(dialect, code)
      }
    : { isError: (code) => !named.has(code), isRight: (code) => named.has(code) }
