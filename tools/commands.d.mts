import type { HelpDoc } from "effect/cli"

/** The help of all commands of `jinka-sim`, the whole one first. */
export declare const allHelp: () => Promise<ReadonlyArray<HelpDoc.HelpDoc>>
/** The page. */
export declare const page: (docs: ReadonlyArray<HelpDoc.HelpDoc>) => string
