/** A dialect as text for people: its fields, header, codes and keys in tables. Pure. */
import {
  type Dialect,
  type FieldSummary,
  fieldSummaries,
  headerLayout,
  type KeyMessage,
  type PlacedPart
} from "@jinka/codec"
import Table from "cli-table3"

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string | number>>): string => {
  const made = new Table({ head: [...head], style: { head: [], border: [], compact: true } })
  for (const row of rows) made.push([...row])
  return made.toString()
}

/** What a part of the header is for, in words. */
const roleOf = ({ fixed, length, address, reject, answer }: PlacedPart): string =>
  [
    ...(fixed === true ? ["always so"] : []),
    ...(length === undefined ? [] : [length === "all" ? "length of header and message" : "length of the message"]),
    ...(address === undefined ? [] : [address === "destination" ? "who gets it" : "who sends it"]),
    ...(reject === true ? ["reject code"] : []),
    ...(answer === undefined || answer === "echo" ? [] : [answer === "own" ? "new in an answer" : `answer: ${answer}`])
  ].join(", ")

const headerText = ({ header }: Dialect): string => {
  if (header === undefined) return "Header: none"
  const { bytes, parts } = headerLayout(header)
  const rows = parts.map((part) => [part.name, part.offset, part.bytes, part.form, part.value, roleOf(part)])
  return `Header ${header.name}, ${bytes} bytes\n${table(["part", "byte", "bytes", "form", "value", "what for"], rows)}`
}

const messageText = ({ mti, code }: KeyMessage): string =>
  `${String(mti).padStart(4, "0")} with F${code.de} = ${code.value}`

const keyText = ({ keyExchange = [] }: Dialect): string =>
  keyExchange.length === 0
    ? "Key exchange: none"
    : `Key exchange: ${keyExchange
        .map(({ ask, deliver, name }) => {
          const asked = ask === undefined ? "" : `asked for by ${messageText(ask)}, `
          return `${name}: ${asked}brought by ${deliver === undefined ? "the answer to it" : messageText(deliver)}`
        })
        .join("; ")}`

const networkText = ({ network }: Dialect): string => {
  if (network === undefined) return "Network management: none"
  const codes = Object.entries(network.codes).map(([name, code]) => [name, code])
  const mti = String(network.mti).padStart(4, "0")
  return `Network management: message type ${mti}, code in F${network.field}\n${table(["what", "code"], codes)}`
}

const reversalText = ({ reversal }: Dialect): string =>
  reversal === undefined
    ? "Reversal: none"
    : `Reversal: ${String(reversal.mti).padStart(4, "0")}, original in F${reversal.originalData.field}, copies F${reversal.copies.join(" ")}`

const fieldRow = ({
  id,
  name,
  nameZh,
  format,
  encoding,
  sensitivity,
  structure
}: FieldSummary): ReadonlyArray<string> => [id, name, nameZh, format, encoding, sensitivity, structure]

/** Everything that `jinka dialect show` says. */
export const dialectText = (dialect: Dialect): string => {
  const { name, title, match, echo, mti, bitmap, responseCodes } = dialect
  const fields = fieldSummaries(dialect).map(fieldRow)
  return [
    `${name}: ${title}`,
    `Message type in ${mti}, bitmap in ${bitmap.encoding}, second bitmap ${bitmap.secondary}`,
    headerText(dialect),
    table(["field", "name", "中文", "format", "on the wire", "sensitivity", "inside"], fields),
    networkText(dialect),
    keyText(dialect),
    `Match key: transactions F${match.transaction.join(" F")}; network management F${match.networkManagement.join(" F")}`,
    `An answer brings back: F${echo.join(" F")}`,
    reversalText(dialect),
    `Response codes: ${Object.keys(responseCodes).length}`
  ].join("\n\n")
}
