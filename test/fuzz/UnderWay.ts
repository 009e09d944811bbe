/**
 * What a fuzz is trying just now, on disk: where a look never ends, the test cannot say of which text, and neither can a run
 * that is killed. Whoever ended it finds the text there, or the changes that were to make one.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"

/** One file for each fuzz, named from the root: titles name it. */
export class UnderWay {
  readonly place: string
  private readonly file: string

  constructor(name: string) {
    this.place = `node_modules/.cache/fuzz/${name}`
    this.file = fileURLToPath(new URL(`../../${this.place}`, import.meta.url))
    mkdirSync(dirname(this.file), { recursive: true })
  }

  /** Begins with a text, or with the changes that make one. */
  begins(what: unknown): void {
    writeFileSync(this.file, typeof what === "string" ? what : JSON.stringify(what))
  }

  /** All were looked at. */
  ended(): void {
    rmSync(this.file, { force: true })
  }
}
