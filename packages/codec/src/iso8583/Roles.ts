/**
 * Which data element plays which part in a message, and how an answer of our own is made: what a switch has to know of a dialect
 * beyond the forms of its fields. Data; what a dialect does not say is as in its edition of ISO 8583.
 */

/** Data elements by the part that they play. */
export interface Roles {
  /** The card number. */
  readonly pan: number
  readonly processingCode: number
  /** The amount of the transaction. */
  readonly amount: number
  /** When the message was sent: month to second. */
  readonly transmissionTime: number
  /** The number that its sender gave the message. */
  readonly stan: number
  /** The number by which people find it again. */
  readonly rrn: number
  readonly acquirer: number
  /** The institution that forwards the message: us, in a message of our own. */
  readonly forwarder: number
  /** The institution that the message is for. */
  readonly receiver: number
  /** The response code or action code of an answer. */
  readonly responseCode: number
  /** The issuer's number for an approval. */
  readonly approvalCode: number
  /** Month and day on which it is settled. */
  readonly settlementDate: number
  /** Currency of the amount, where the amount does not name it itself. */
  readonly currency: number
  /** Balances, in an answer to an inquiry. */
  readonly additionalAmounts: number
}

/** The parts of all three editions (ISO 8583:1987, 1993 and 2003, data element tables). */
export const standardRoles: Roles = {
  pan: 2,
  processingCode: 3,
  amount: 4,
  transmissionTime: 7,
  stan: 11,
  acquirer: 32,
  forwarder: 33,
  rrn: 37,
  approvalCode: 38,
  responseCode: 39,
  settlementDate: 15,
  currency: 49,
  additionalAmounts: 54,
  receiver: 100
}

/** How answers of our own are made, what an answer of the partner has at least, and which codes say what. */
export interface AnswerRules {
  /** Fields that an answer of ours keeps from its request. */
  readonly keeps: ReadonlyArray<number>
  /** Fields of an answer that was given, which a repeated request gets again. */
  readonly givenAgain: ReadonlyArray<number>
  /** The least that an answer echoes: it has these fields, unchanged, where its request has them. */
  readonly leastEcho: ReadonlyArray<number>
  /** Code with which a message is acknowledged, and with which network management is. */
  readonly approved: string
  readonly accepted: string
  /** Codes with which an issuer may approve a smaller amount than was asked for. */
  readonly partialApproval: ReadonlyArray<string>
}

const codesByVersion = [
  { approved: "00", accepted: "00", partialApproval: ["10", "32"] },
  { approved: "000", accepted: "800", partialApproval: ["002", "006"] },
  { approved: "0000", accepted: "8000", partialApproval: ["0002", "0006"] }
] as const

/** What a dialect says of roles and answers, and what its rules follow from where it says nothing. */
interface Ruled {
  readonly version: 0 | 1 | 2
  readonly match: { readonly transaction: ReadonlyArray<number> }
  readonly echo: ReadonlyArray<number>
  readonly reversal?: { readonly originalData: { readonly field: number } }
  readonly roles?: Partial<Roles>
  readonly answers?: Partial<AnswerRules>
}

/** The roles of a dialect: its own, otherwise those of the standard. */
export const rolesOf = ({ roles }: Pick<Ruled, "roles">): Roles => ({ ...standardRoles, ...roles })

/**
 * The rules of a dialect: its own, else the codes of its edition, and an answer with what its key, its echo and its original data
 * need.
 */
export const answerRulesOf = (dialect: Ruled): AnswerRules => {
  const { echo, match, reversal } = dialect
  const { processingCode, responseCode } = rolesOf(dialect)
  return {
    keeps: [
      ...new Set([...match.transaction, ...echo, ...(reversal === undefined ? [] : [reversal.originalData.field])])
    ],
    givenAgain: [responseCode],
    // Mandatory in requests and answers of all three editions.
    leastEcho: [processingCode],
    ...codesByVersion[dialect.version],
    ...dialect.answers
  }
}
