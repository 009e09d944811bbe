/** Why a switch does not start, or take other settings: nobody could end what its journal holds. */
import { Data } from "effect"

/**
 * The journal holds open exchanges of links that the configuration does not have, or has with another dialect. Nobody could end
 * or reverse them, so the switch does not start (guarantee G9).
 */
export class LinksMissing extends Data.TaggedError("LinksMissing")<{
  /** Names of the links that are missing. */
  readonly links: ReadonlyArray<string>
  /** Exchanges of theirs that have not ended. */
  readonly open: number
}> {
  override get message() {
    const names = this.links.join(", ")
    return `The journal holds ${this.open} open exchanges of links that the configuration does not have by this name and with this dialect (a dialect file that was changed is another one): ${names}. Put them back as they were until these are ended; only then remove them. A link that has another name now says so by \`formerly\`.`
  }
}
