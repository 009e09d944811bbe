/** Records of programmers' files, Intel HEX and Motorola S: their data, when each check byte is right. Pure. */

const sum = (bytes: Buffer): number => bytes.reduce((all, byte) => (all + byte) & 0xff, 0)

/** The data of a record; nothing of one without data; `undefined`: this is no record. */
const dataOf = (line: string): Buffer | undefined => {
  const [, intel] = /^:((?:[0-9a-f]{2}){5,260})$/i.exec(line) ?? []
  if (intel !== undefined) {
    const bytes = Buffer.from(intel, "hex")
    if (sum(bytes) !== 0 || bytes[0] !== bytes.length - 5) return undefined
    return bytes[3] === 0 ? bytes.subarray(4, -1) : Buffer.alloc(0)
  }
  const [, type, motorola] = /^S([0-9])((?:[0-9a-f]{2}){3,255})$/i.exec(line) ?? []
  if (type === undefined || motorola === undefined) return undefined
  const bytes = Buffer.from(motorola, "hex")
  if (sum(bytes) !== 0xff || bytes[0] !== bytes.length - 1) return undefined
  return "123".includes(type) ? bytes.subarray(2 + Number(type), -1) : Buffer.alloc(0)
}

/** The data of all records; nothing where a line is none. */
export const recordsIn = (lines: ReadonlyArray<string>): ReadonlyArray<Buffer> => {
  const found = lines.filter((line) => line.trim() !== "").map((line) => dataOf(line.trim()))
  const rows = found.flatMap((one) => one ?? [])
  return rows.length === 0 || rows.length < found.length ? [] : [Buffer.concat(rows)]
}
