/**
 * The checkers: pure functions from what was seen in a run to sentences about what must not be. No sentence: no objection.
 *
 * Judged here: G3, G4, G5, G6 as the partners and the wire saw them, and the money. Not judged: time (the run itself looks
 * after liveness), journal contents (`JournalChecks.ts`), and what the partners do to each other.
 */
import type { History, Purchase, Receipt, Written } from "./History.ts"

const groupBy = <A>(list: Iterable<A>, key: (each: A) => string): Map<string, Array<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const each of list) {
    const group = groups.get(key(each))
    if (group === undefined) groups.set(key(each), [each])
    else group.push(each)
  }
  return groups
}

const isRequest = ({ mti }: Pick<Receipt, "mti">): boolean => mti === "0200" || mti === "0201"
const isReversal = ({ mti }: Pick<Receipt, "mti">): boolean => mti === "0420" || mti === "0421"

/**
 * G3: a request is answered at most once for each time that it was sent, and never in two ways. What is refused while the disk
 * has little room is not written down: a repeat of it may be refused for another reason.
 */
export const oneAnswer = (history: History): ReadonlyArray<string> => {
  const findings: Array<string> = []
  const unwritten = new Set(
    history.written.filter(({ code, isLow }) => isLow && code !== "00").map(({ code, rrn }) => `${rrn} ${code}`)
  )
  for (const { rrn, acquirer, answers, sends } of history.purchases.values()) {
    if (answers.length > sends)
      findings.push(`G3: ${acquirer} sent ${rrn} ${sends} times and got ${answers.length} answers`)
    // 94 is the other lawful answer to a repeated request (domain facts 1.15).
    const isLawful = (code: string) => sends > 1 && (code === "94" || unwritten.has(`${rrn} ${code}`))
    const codes = new Set(answers.map(({ code }) => code).filter((code) => !isLawful(code)))
    if (codes.size > 1) findings.push(`G3: ${acquirer} got ${[...codes].join(" and ")} for ${rrn}`)
  }
  return findings
}

/** G4: a financial request is handed to a connection at most once, and reaches an issuer at most once. */
export const atMostOnce = (history: History, acquirers: ReadonlySet<string>): ReadonlyArray<string> => {
  const findings: Array<string> = []
  const out = history.written.filter((written) => isRequest(written) && !acquirers.has(written.to))
  for (const [rrn, writes] of groupBy(out, (written) => written.rrn)) {
    if (writes.length > 1) {
      const connections = new Set(writes.map(({ connection }) => connection)).size
      findings.push(`G4: request ${rrn} was written ${writes.length} times, on ${connections} connections`)
    }
  }
  for (const [rrn, receipts] of groupBy(history.receipts.filter(isRequest), (receipt) => receipt.rrn)) {
    if (receipts.length > 1) findings.push(`G4: request ${rrn} reached issuers ${receipts.length} times`)
  }
  return findings
}

/** G5: a reversal goes out as 0420 the first time, as 0421 ever after, and changes nothing else. */
export const markedRepeats = (history: History, acquirers: ReadonlySet<string>): ReadonlyArray<string> => {
  const findings: Array<string> = []
  const out = history.written.filter((written) => isReversal(written) && !acquirers.has(written.to))
  for (const [, writes] of groupBy(out, (written) => `${written.to} ${written.key} ${written.rrn}`)) {
    const [first, ...repeats] = writes as [Written, ...Array<Written>]
    if (repeats.some(({ mti }) => mti !== "0421")) {
      findings.push(
        `G5: reversal ${first.key} of ${first.rrn} was repeated as ${repeats.map(({ mti }) => mti).join(", ")}`
      )
    }
    const changed = repeats.filter((repeat) => sameKeys(repeat) !== sameKeys(first))
    if (changed.length > 0) findings.push(`G5: repeats of reversal ${first.key} of ${first.rrn} changed their keys`)
  }
  return [...findings, ...reversalsNameTheirOriginal(history, acquirers)]
}

const sameKeys = ({ amount, originalKey }: Written): string => `${amount} ${originalKey}`

/** DE 90 names the request as it went out on the same link, where it went out. */
const reversalsNameTheirOriginal = (history: History, acquirers: ReadonlySet<string>): ReadonlyArray<string> => {
  const findings = new Set<string>()
  const requests = groupBy(
    history.written.filter((written) => isRequest(written) && !acquirers.has(written.to)),
    ({ to, rrn }) => `${to} ${rrn}`
  )
  for (const written of history.written.filter(isReversal)) {
    const original = requests.get(`${written.to} ${written.rrn}`)?.[0]
    if (original !== undefined && original.key !== written.originalKey) {
      findings.add(`G5: DE 90 of the reversal of ${written.rrn} names ${written.originalKey}, it was ${original.key}`)
    }
  }
  return [...findings]
}

/** G6: an answer carries the RRN and amount of the request it is given to; no two
 * requests or reversals to one issuer share a key. */
export const rightAnswer = (history: History, acquirers: ReadonlySet<string>): ReadonlyArray<string> => {
  const findings: Array<string> = []
  for (const { rrn, amount, acquirer, answers } of history.purchases.values()) {
    for (const answer of answers) {
      if (answer.rrn !== rrn) findings.push(`G6: ${acquirer} got the answer to ${answer.rrn} for ${rrn}`)
      if (answer.amount !== amount)
        findings.push(`G6: ${acquirer} got the amount ${answer.amount} for ${rrn}, asked ${amount}`)
    }
  }
  return [...findings, ...sharedKeys(history, acquirers)]
}

/** Requests, or reversals, of different purchases that went to one issuer with one key: an answer would fit both. */
const sharedKeys = (history: History, acquirers: ReadonlySet<string>): ReadonlyArray<string> => {
  const findings: Array<string> = []
  const out = history.written.filter(({ mti, to }) => !acquirers.has(to) && (mti[1] === "2" || mti[1] === "4"))
  for (const [, writes] of groupBy(out, ({ to, mti, key }) => `${to} ${mti.slice(0, 3)} ${key}`)) {
    const rrns = new Set(writes.map(({ rrn }) => rrn))
    if (rrns.size === 1) continue
    const { mti, key, to } = writes[0]!
    findings.push(`G6: ${mti} of ${[...rrns].join(" and ")} went to ${to} with one key, ${key}`)
  }
  return findings
}

/**
 * What the acquirer believes that an issuer keeps of a purchase: its amount, nothing, or undefined while it does not know. Who
 * repeats what was refused hears of an approval behind the refusal, where nobody knew of that any more: a refusal promises
 * nothing.
 */
const believed = ({ answers, outcome, amount, reversal, sends }: Purchase): number | undefined => {
  if (outcome === "approved") return amount
  const isTakenLater = sends > 1 && answers.some(({ code, isLate }) => isLate && code === "00")
  if (outcome === "declined") return isTakenLater ? undefined : 0
  return outcome === "unknown" && reversal?.code !== undefined ? 0 : undefined
}

/** The money: when nothing is pending, acquirers and issuers agree on every purchase, and nobody has one that nobody sent. */
export const moneyAgrees = (history: History, net: (issuer: string, rrn: string) => number): ReadonlyArray<string> => {
  const findings: Array<string> = []
  const issuers = new Set([...history.purchases.values()].map(({ issuer }) => issuer))
  for (const purchase of history.purchases.values()) {
    const { rrn, acquirer, issuer, outcome } = purchase
    const expected = believed(purchase)
    const code = purchase.answers.find(({ isLate }) => !isLate)?.code
    const view = `${acquirer} believes ${outcome}${code === undefined ? "" : ` (${code})`}`
    const kept = net(issuer, rrn)
    if (expected !== undefined && kept !== expected) findings.push(`money: ${issuer} keeps ${kept} for ${rrn}, ${view}`)
    for (const other of issuers) {
      if (other !== issuer && net(other, rrn) !== 0)
        findings.push(`money: ${other} booked ${rrn}, which is ${issuer}'s`)
    }
  }
  const strangers = history.receipts.filter((receipt) => isRequest(receipt) && !history.purchases.has(receipt.rrn))
  return [...findings, ...strangers.map(({ rrn, issuer }) => `money: ${issuer} got a purchase ${rrn} that nobody sent`)]
}

/** A switch that is killed so soon behind an answer that nobody took may not have written that down yet, milliseconds. */
const WRITTEN_WITHIN = 70_000

/**
 * An approval that nobody heard is taken back: of a call over HTTP whose caller was gone before its connection had taken the
 * answer nothing is kept. A switch that was killed meanwhile does not know: then the caller repeats or reverses it.
 */
export const unheardTakenBack = (
  history: History,
  net: (issuer: string, rrn: string) => number
): ReadonlyArray<string> =>
  unheardBy(history)
    .filter(({ issuer, rrn }) => net(issuer, rrn) !== 0)
    .map(
      ({ acquirer, issuer, rrn }) =>
        `unheard: ${issuer} keeps ${net(issuer, rrn)} for ${rrn}, and ${acquirer} was gone before it could hear of that`
    )

/** Purchases whose caller is gone for good, with an answer that it cannot have heard, and a switch that lived on and knows it. */
export const unheardBy = ({ deaths, heard, purchases, unheard }: History): ReadonlyArray<Purchase> =>
  [...purchases.values()].filter(({ outcome, rrn }) => {
    const at = unheard.get(rrn)
    if (outcome !== "left" || at === undefined || heard.has(rrn)) return false
    return !deaths.some((death) => death >= at && death < at + WRITTEN_WITHIN)
  })

/** Digits of a card number, and of those that tell its issuer. */
const CARD = 16
const PREFIX = 6
const PREFIXES = 10 ** PREFIX

/** Card numbers to be found in the clear: all of one run, looked for in one pass over the bytes. */
export class ShownCards {
  private readonly cards: ReadonlySet<string>
  private readonly prefixes: ReadonlySet<number>

  /** `cards`: 16 digits each. */
  constructor(cards: ReadonlySet<string>) {
    this.cards = cards
    this.prefixes = new Set([...cards].map((card) => Number(card.slice(0, PREFIX))))
  }

  /** Whether bytes show one, also in the middle of other digits. */
  isIn(bytes: Uint8Array): boolean {
    let run = 0
    let last = 0
    for (let at = 0; at < bytes.length; at++) {
      const digit = bytes[at]! - 48
      if (digit < 0 || digit > 9) {
        run = 0
        continue
      }
      last = (last * 10 + digit) % PREFIXES
      if (++run < PREFIX || !this.prefixes.has(last)) continue
      const from = at - PREFIX + 1
      if (this.cards.has(String.fromCharCode(...bytes.subarray(from, from + CARD)))) return true
    }
    return false
  }
}

/** G10: no card number in what the switch logged. */
export const coveredCards = (history: History): ReadonlyArray<string> => {
  const shown = new ShownCards(history.cards)
  const isShown = history.log.some((line) => shown.isIn(Buffer.from(line)))
  return isShown ? ["G10: a card number is in the switch's log"] : []
}
