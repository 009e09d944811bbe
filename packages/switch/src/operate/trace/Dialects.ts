/**
 * What reads the messages of a journal: dialects by name, links as the configuration has them; and what a trace needs of a
 * journal.
 */
import { type Codec, compile, type Dialect } from "@jinka/codec"
import type { LinkPlan } from "../../exchange/LinkPlan.ts"
import type { Journal } from "../../journal/Journal.ts"
import type { NameRecord } from "../../journal/JournalStore.ts"
import { shippedDialects } from "../configuration/Shipped.ts"

/** What a trace needs of a journal, running or not. */
export interface Readable extends Pick<Journal["Service"], "find" | "read"> {
  /** Names of links by number. */
  readonly names: () => ReadonlyArray<NameRecord>
}

/** Dialects by name: those of a configuration, otherwise the shipped ones. */
export class Dialects {
  private readonly given: Readonly<Record<string, Dialect>>
  private readonly codecs = new Map<string, Codec | undefined>()
  private readonly links: ReadonlyArray<LinkPlan>

  /** `links`: those of the configuration, where there is one. */
  constructor(given: Readonly<Record<string, Dialect>> = {}, links: ReadonlyArray<LinkPlan> = []) {
    this.given = given
    this.links = links
  }

  /** What the configuration says of a link. */
  link(name: string): LinkPlan | undefined {
    return this.links.find((link) => link.name === name)
  }

  /** The codec of a dialect; `undefined` when nobody knows the name. */
  codec(name: string): Codec | undefined {
    if (!this.codecs.has(name)) {
      const dialect = this.given[name] ?? shippedDialects[name]?.dialect
      this.codecs.set(name, dialect === undefined ? undefined : compile(dialect))
    }
    return this.codecs.get(name)
  }
}
