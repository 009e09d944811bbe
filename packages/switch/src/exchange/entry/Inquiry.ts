/**
 * What memory does not know of a message is asked of the journal. The message waits aside meanwhile, and is then handled again
 * with what the journal said; where it says nothing in time, the partner hears that the switch cannot tell.
 */
import type { MessageIndex } from "@jinka/codec"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { Containment } from "../watch/Containment.ts"
import type { Answer, Question } from "./Questions.ts"
import type { Known } from "./RecentKeys.ts"
import type { Refusals } from "./Refusals.ts"
import type { Asked } from "./Repeats.ts"

/** A message of a partner that is being admitted. */
export interface Coming {
  readonly origin: Desk
  readonly epoch: number
  readonly index: MessageIndex
  /** When it arrived, monotonic milliseconds. */
  readonly arrivedAt: number
  /** What the journal was asked about it already. */
  readonly asked: Asked
}

/** The inquiries of one switch. */
export class Inquiry {
  private readonly desks: Desks
  private readonly refusals: Refusals
  private readonly containment: Containment

  constructor(desks: Desks, refusals: Refusals, containment: Containment) {
    this.desks = desks
    this.refusals = refusals
    this.containment = containment
  }

  /**
   * Puts the message aside until the journal has answered the question. `again` handles it then, with what `told` makes of the
   * answer; it is not called where there is none within a request's time, or where the partner has its share of messages aside.
   */
  ask(
    { arrivedAt, epoch, index, origin }: Coming,
    question: Question,
    told: (known: Known | undefined) => Asked,
    again: (index: MessageIndex, asked: Asked) => void
  ): void {
    const { containment, desks, refusals } = this
    const until = arrivedAt + desks.limits.requestTimeoutMs
    const goOn = (index: MessageIndex, answer: Answer) => {
      if (answer === "unknown") return refusals.unsure(origin, epoch)
      again(index, told(answer))
    }
    const isAsking = desks.questions.ask(origin, index, question, until, (index, answer) =>
      containment.later(origin, epoch, index, () => goOn(index, answer))
    )
    if (!isAsking) refusals.unsure(origin, epoch)
  }
}
