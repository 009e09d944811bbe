/** Records of programmers' files, Intel HEX and Motorola S: their data, when each check byte is right. Pure. */

const sum = (bytes: Buffer): number => bytes.reduce((all, byte) => (all + byte) & 0xff, 0)

/** What a record says: its data, or that it is the last one of its file. */
interface Record {
  readonly bytes: Buffer
  readonly isLast: boolean
}

const nothing = Buffer.alloc(0)

/** The record in a line; `undefined`: it is none. */
const recordIn = (line: string): Record | undefined => {
  const [, intel] = /^:((?:[0-9a-f]{2}){5,260})$/i.exec(line) ?? []
  if (intel !== undefined) {
    const bytes = Buffer.from(intel, "hex")
    if (sum(bytes) !== 0 || bytes[0] !== bytes.length - 5) return undefined
    return { bytes: bytes[3] === 0 ? bytes.subarray(4, -1) : nothing, isLast: bytes[3] === 1 }
  }
  const [, type, motorola] = /^S([0-9])((?:[0-9a-f]{2}){3,255})$/i.exec(line) ?? []
  if (type === undefined || motorola === undefined) return undefined
  const bytes = Buffer.from(motorola, "hex")
  if (sum(bytes) !== 0xff || bytes[0] !== bytes.length - 1) return undefined
  return { bytes: "123".includes(type) ? bytes.subarray(2 + Number(type), -1) : nothing, isLast: "789".includes(type) }
}

/** What each file of records holds; files end with their last record, or where another line is. */
export const recordsIn = (lines: ReadonlyArray<string>): ReadonlyArray<Buffer> => {
  const files: Array<Array<Buffer>> = [[]]
  for (const line of lines) {
    const record = recordIn(line.trim())
    if (record !== undefined) files.at(-1)!.push(record.bytes)
    if (record === undefined ? line.trim() !== "" : record.isLast) files.push([])
  }
  return files.map((parts) => Buffer.concat(parts)).filter(({ length }) => length > 0)
}
