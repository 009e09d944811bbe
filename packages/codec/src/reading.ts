/**
 * The codec for whoever only reads messages, and has to load fast: codecs, their indexes, the dialects of before a configuration.
 * The journal's thread is one; what it loads holds up every commit.
 */
export { cups } from "./dialects/Cups.ts"
export { iso8583v1987Ascii, iso8583v1987AsciiRaw } from "./dialects/Iso8583V1987Ascii.ts"
export type { Codec } from "./iso8583/Codec.ts"
export { compile } from "./iso8583/Compile.ts"
export type { Dialect } from "./iso8583/Dialect.ts"
export { MessageIndex } from "./iso8583/MessageIndex.ts"
export { mtiClass } from "./iso8583/Mti.ts"
