/**
 * What an operator may do to one link while the switch runs. Each act says what was before and what is after, and is in the
 * journal as an event of the link with the operator's name.
 *
 * The acts are safe to repeat: what is so already is said and not done again. None of them touches another link.
 */
import { coverTyped } from "@jinka/codec"
import { Data, Effect } from "effect"
import { actText } from "./ActText.ts"
import { drainLinks, type Unfinished } from "./Drain.ts"
import type { Desks } from "./exchange/Desks.ts"
import type { Answered } from "./link/Asked.ts"
import type { Link } from "./link/Link.ts"
import { LinkEnded } from "./link/LinkEnded.ts"
import type { Meaning } from "./message/NetworkManagement.ts"

/** The acts by their names on the command line. */
export const acts = ["block", "unblock", "sign-on", "sign-off", "retry", "cut", "drain", "echo"] as const
/** One of {@link acts}. */
export type Act = (typeof acts)[number]

/** What came of an act. */
export interface Operated {
  readonly link: string
  readonly act: Act
  /** The link's state in words, before and after. */
  readonly before: string
  readonly after: string
  /** One sentence: what was done, or why nothing had to be. */
  readonly did: string
  /** Milliseconds that the partner's answer took; left out when none was asked for. */
  readonly answerMs?: number
  /** After a drain: requests that had not ended. */
  readonly unfinished: ReadonlyArray<Unfinished>
}

/** An act that cannot be done now. */
export class OperationRefused extends Data.TaggedError("OperationRefused")<{
  /** `NoSuchLink`: the name is wrong. `NotNow`: the link is not in a state for it. `NoAnswer`: the partner did not answer. */
  readonly reason: "NoSuchLink" | "NotNow" | "NoAnswer"
  /** What is the matter and what to do, in a sentence or two. */
  readonly says: string
}> {}

/** Who asks. */
export interface Operator {
  /** The name of the unix user. */
  readonly user: string
  /** Why, in the operator's words. */
  readonly reason?: string | undefined
}

/** Why, as the journal has it. */
export const whyOf = ({ reason }: Operator): string => reason ?? "no reason given"

type Outcome = Omit<Operated, "link" | "act" | "before" | "after" | "unfinished"> &
  Partial<Pick<Operated, "unfinished">>

type Done = Effect.Effect<Outcome, OperationRefused>

const notNow = (says: string) => Effect.fail(new OperationRefused({ reason: "NotNow", says }))

const left = ({ length }: ReadonlyArray<Unfinished>): string =>
  length === 0 ? "nothing was left open" : length === 1 ? "1 request had not ended" : `${length} requests had not ended`

/** There is no link of that name. Whoever asked may have written anything there, a card number too. */
export const noSuchLink = (name: string, { present }: Desks): OperationRefused => {
  const says = `There is no link ${coverTyped(name)}. The links are: ${present.map((desk) => desk.name).join(", ")}.`
  return new OperationRefused({ reason: "NoSuchLink", says })
}

/** The acts on the links of one switch. */
export class Operations {
  private readonly desks: Desks

  constructor(desks: Desks) {
    this.desks = desks
  }

  /** Does it. `drainMs`: how long a drain waits for what is under way. */
  act(name: string, act: Act, by: Operator, drainMs: number): Effect.Effect<Operated, OperationRefused> {
    return Effect.suspend(() => {
      const link = this.there.find(({ settings }) => settings.name === name)
      if (link === undefined) return Effect.fail(noSuchLink(name, this.desks))
      const before = link.phrase
      return this.does(link, act, by, drainMs).pipe(
        Effect.tapError(({ says }) => Effect.sync(() => this.noted(link, act, by, `not done: ${says}`))),
        Effect.map((outcome): Operated => {
          const after = link.phrase
          this.noted(link, act, by, `${outcome.did} Before: ${before}, after: ${after}`)
          return { link: name, act, before, after, unfinished: [], ...outcome }
        })
      )
    })
  }

  /** Writes into the journal what an operator did that concerns no single link (a stop), and what came of it. */
  told(by: Operator, what: string, came?: string): void {
    this.desks.acted(undefined, actText({ user: by.user, what, why: whyOf(by), came }))
  }

  /** The same of a look at a transaction, which takes no reason. */
  looked(user: string, what: string): void {
    this.desks.acted(undefined, actText({ user, what }))
  }

  private get there(): ReadonlyArray<Link> {
    return this.desks.present.map(({ link }) => link)
  }

  /** Why nothing can be done to a link of this name; `undefined`: there is one. */
  missing(name: string): OperationRefused | undefined {
    return this.there.some(({ settings }) => settings.name === name) ? undefined : noSuchLink(name, this.desks)
  }

  private noted(link: Link, act: Act, by: Operator, text: string): void {
    this.desks.acted(this.desks.of(link), actText({ user: by.user, what: act, why: whyOf(by), came: text }))
  }

  private does(link: Link, act: Act, by: Operator, drainMs: number): Done {
    switch (act) {
      case "block":
        return Effect.sync(() => this.block(link))
      case "unblock":
        return Effect.sync(() => this.unblock(link))
      case "sign-on":
        return this.signOn(link)
      case "sign-off":
        return this.signOff(link)
      case "retry":
        return this.retry(link)
      case "cut":
        return Effect.sync(() => this.cut(link, by))
      case "drain":
        return this.drain(link, by, drainMs)
      case "echo":
        return this.echo(link)
    }
  }

  private block(link: Link): Outcome {
    if (link.isBlocked) return { did: "It was blocked already." }
    link.change({ _tag: "blocked", on: true })
    return {
      did: "New requests from and to it are refused, advices and reversals for it wait; its connection stays, and what was sent ends."
    }
  }

  private unblock(link: Link): Outcome {
    if (!link.isBlocked && !link.isDraining) return { did: "It was not blocked." }
    link.change({ _tag: "blocked", on: false })
    link.change({ _tag: "draining", on: false })
    link.leave(false, new LinkEnded({ reason: "Operator", why: "unblocked" }))
    return { did: "It takes requests as soon as it is ready." }
  }

  private cut(link: Link, { user }: Operator): Outcome {
    if (!link.isUp) return { did: "It had no connection." }
    link.cut(new LinkEnded({ reason: "Operator", why: `cut by ${user}` }))
    return { did: "Its connection is cut; it comes back by itself." }
  }

  private retry(link: Link): Done {
    if (link.isUp) return Effect.succeed({ did: "It has a connection already." })
    if (link.isAway) return notNow("It is drained: `jinka link unblock` brings it back.")
    if (link.settings.side._tag === "listen") {
      return notNow("The partner connects to us on this link: there is nothing to dial. Is the partner's side up?")
    }
    return Effect.succeed({
      did: link.retry() ? "It connects now, without waiting for the pause to end." : "An attempt is under way already."
    })
  }

  private drain(link: Link, { user }: Operator, drainMs: number): Done {
    if (link.isAway && !link.isUp) return Effect.succeed({ did: "It was drained already." })
    const ended = new LinkEnded({ reason: "Operator", why: `drained by ${user}` })
    return Effect.flatMap(drainLinks(this.desks, [link], drainMs, ended), (unfinished) =>
      link.isAway
        ? Effect.succeed({
            did: `It has no connection and makes none until it is unblocked; ${left(unfinished)}.`,
            unfinished
          })
        : notNow("It was unblocked while it was being drained, and stays in use.")
    )
  }

  private signOn(link: Link): Done {
    if (link.signedOn === "done") return Effect.succeed({ did: "We were signed on already." })
    link.change({ _tag: "heldOff", on: false })
    return Effect.map(this.asked(link, "signOn", "sign-on"), ({ code, ms }) => ({
      did: `The partner accepted our sign-on with ${code}.`,
      answerMs: ms
    }))
  }

  private signOff(link: Link): Done {
    if (link.signedOn === "off") return Effect.succeed({ did: "We were signed off already." })
    return Effect.map(this.asked(link, "signOff", "sign-off"), ({ code, ms }) => {
      link.change({ _tag: "heldOff", on: true })
      return { did: `The partner accepted our sign-off with ${code}. We stay signed off until sign-on.`, answerMs: ms }
    })
  }

  private echo(link: Link): Done {
    return Effect.map(this.asked(link, "echo", "echo", false), ({ code, ms }) => ({
      did: `The partner answered our echo with ${code} after ${ms.toFixed(1)} ms.`,
      answerMs: ms
    }))
  }

  /** Sends a network management request now and waits for its answer, as long as a sign-on may take. */
  private asked(
    link: Link,
    what: Meaning,
    word: string,
    needsAcceptance = true
  ): Effect.Effect<Answered, OperationRefused> {
    const { session, settings } = link
    if (session === undefined) return notNow(`It has no connection (${link.phrase}).`)
    if (settings.dialect.network?.codes[what] === undefined) {
      return notNow(`Its dialect, ${settings.dialect.name}, has no ${word}.`)
    }
    const { timeoutMs } = settings.signOn
    const noAnswer = (says: string) => Effect.fail(new OperationRefused({ reason: "NoAnswer", says }))
    const answered = Effect.callback<Answered>((resume) =>
      session.ask(what, (answer) => resume(Effect.succeed(answer)))
    )
    const silence = link.down.until(() => link.session !== session, timeoutMs)
    return Effect.raceFirst(
      answered,
      Effect.flatMap(silence, () =>
        noAnswer(
          link.session === session
            ? `The partner did not answer our ${word} within ${timeoutMs} ms${session.management.cameInstead}; its connection is still up.`
            : `The connection ended before the partner answered our ${word}.`
        )
      )
    ).pipe(
      Effect.flatMap((answer) =>
        needsAcceptance && !answer.isAccepted
          ? noAnswer(`The partner answered our ${word} with ${answer.code}.`)
          : Effect.succeed(answer)
      )
    )
  }
}
