/**
 * `@jinka/switch`: the parts of the switch for programs of your own. The command `jinka` is made of nothing else.
 */
export * as Journal from "./journal/Journal.ts"
export * as JournalError from "./journal/JournalError.ts"
export * as JournalKey from "./journal/JournalKey.ts"
export * as JournalReader from "./journal/JournalReader.ts"
export * as MemoryStore from "./journal/MemoryStore.ts"
export * as SqliteStore from "./journal/SqliteStore.ts"
export * as LinkEnded from "./link/Ended.ts"
export * as Link from "./link/Link.ts"
export * as LinkSettings from "./link/Settings.ts"
export * as Configuration from "./operate/Configuration.ts"
export * as Summary from "./operate/Summary.ts"
export * as Trace from "./operate/trace/Trace.ts"
export * as Switch from "./Switch.ts"
export * as NodeTransport from "./transport/NodeTransport.ts"
export * as Transport from "./transport/Transport.ts"
