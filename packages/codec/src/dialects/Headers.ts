/**
 * Headers in front of the MTI: CUPS centre, UnionPay terminals, TPDU alone. Facts: domain.md 1.4, 1.17.
 */
import type { HeaderFormat, HeaderPart } from "../iso8583/Header.ts"

/** Header of the CUPS centre, domain.md 1.4. Ids are left-justified; the reserved part and fields 7-9 are opaque. */
export const cups46: HeaderFormat = {
  name: "cups46",
  bytes: 46,
  parts: [
    { name: "headerLength", offset: 0, bytes: 1, form: "hex", value: "2E", fixed: true },
    { name: "version", offset: 1, bytes: 1, form: "hex", value: "01" },
    { name: "totalLength", offset: 2, bytes: 4, form: "text", value: "0046" },
    { name: "destination", offset: 6, bytes: 11, form: "text", value: "00010000" },
    { name: "source", offset: 17, bytes: 11, form: "text", value: "" },
    { name: "reserved", offset: 28, bytes: 3, form: "hex", value: "000000" },
    { name: "batch", offset: 31, bytes: 1, form: "hex", value: "00" },
    { name: "transaction", offset: 32, bytes: 8, form: "text", value: "00000000" },
    { name: "user", offset: 40, bytes: 1, form: "hex", value: "00" },
    { name: "rejectCode", offset: 41, bytes: 5, form: "text", value: "00000" }
  ],
  totalLength: "totalLength",
  answerSwaps: [["destination", "source"]],
  reject: { part: "rejectCode", normal: "00000" }
}

/** TPDU of NAC links: id, destination and source address, packed decimal. */
const tpduParts: ReadonlyArray<HeaderPart> = [
  { name: "tpduId", offset: 0, bytes: 1, form: "hex", value: "60" },
  { name: "destination", offset: 1, bytes: 2, form: "hex", value: "0000" },
  { name: "source", offset: 3, bytes: 2, form: "hex", value: "0000" }
]

/** TPDU alone; an answer swaps the addresses. */
export const tpdu5: HeaderFormat = {
  name: "tpdu5",
  bytes: 5,
  parts: tpduParts,
  answerSwaps: [["destination", "source"]]
}

/** TPDU and the 6-byte header of UnionPay terminals. `status` holds terminal status and processing request, a nibble each. */
export const tpdu6: HeaderFormat = {
  name: "tpdu6",
  bytes: 11,
  parts: [
    ...tpduParts,
    { name: "application", offset: 5, bytes: 1, form: "hex", value: "60" },
    { name: "softwareVersion", offset: 6, bytes: 1, form: "hex", value: "31" },
    { name: "status", offset: 7, bytes: 1, form: "hex", value: "00" },
    { name: "reserved", offset: 8, bytes: 3, form: "hex", value: "000000" }
  ],
  answerSwaps: [["destination", "source"]]
}

/** All headers by name, for dialect files. */
export const headers: { readonly [name: string]: HeaderFormat } = { cups46, tpdu5, tpdu6 }
