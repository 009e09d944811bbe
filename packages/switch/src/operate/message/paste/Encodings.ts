/**
 * Encodings of mails, addresses and pages, and digits of two: bytes that a pasted text holds without a digit of hex in sight.
 * Each is tried on the whole text, or on its longest word. Pure.
 */

/** What stands for a byte, and what its digits are: `%30` of addresses, `=30` of mails, `&#x30;` of pages, `\x{30}`, `#$30`. */
const escapes: ReadonlyArray<readonly [RegExp, 10 | 16]> = [
  [/%([0-9a-f]{2})/gi, 16],
  // Mails end a line that goes on with `=`.
  [/=(?:([0-9a-f]{2})|\n)/gi, 16],
  [/&#x([0-9a-f]{1,2});/gi, 16],
  [/&#(\d{1,3});/g, 10],
  [/\\x\{([0-9a-f]{1,2})\}/gi, 16],
  [/#\$([0-9a-f]{2})/gi, 16]
]

/** Names of characters that pages escape. */
const entities: ReadonlyArray<readonly [RegExp, string]> = [
  [/&lt;/g, "<"],
  [/&gt;/g, ">"],
  [/&quot;/g, '"'],
  [/&amp;/g, "&"]
]

/** The texts that one kind of escape is in, without them: the text, and what is between quotes. */
export const withoutEscapes = (text: string): ReadonlyArray<Buffer> =>
  escapes.flatMap(([sign, base]) => {
    if (text.search(sign) < 0) return []
    const whole = text.trim()
    const quoted = /(["'])(.*)\1/s.exec(whole)?.[2]
    return [whole, ...(quoted === undefined ? [] : [quoted])].map((part) => {
      const plain = part.replaceAll(sign, (_, digits: string | undefined) =>
        digits === undefined ? "" : String.fromCharCode(Number.parseInt(digits, base))
      )
      const named = entities.reduce((bare, [entity, one]) => bare.replaceAll(entity, one), plain)
      return Buffer.from(base === 10 || part.includes("&#") ? named : plain, "latin1")
    })
  })

/** `00110000 00110010`: each byte as eight digits of two. */
export const inTwos = (text: string): ReadonlyArray<Buffer> => {
  const digits = text.replaceAll(/0b|[\s,_]/g, "")
  if (digits.length === 0 || digits.length % 8 !== 0 || /[^01]/.test(digits)) return []
  return [Buffer.from(digits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))]
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

/** The text as base32 (RFC 4648). */
export const ofBase32 = (text: string): ReadonlyArray<Buffer> => {
  const [, word] = /^([A-Z2-7]+)=*$/.exec(text.replaceAll(/\s+/g, "")) ?? []
  if (word === undefined) return []
  const bits = [...word].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("")
  return [Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))]
}

/** What `uuencode` writes: between `begin` and `end` lines that begin with how many bytes they hold. */
export const uuencoded = (text: string): ReadonlyArray<Buffer> => {
  const [, body] = /^begin [0-7]{3,4} .*\n([\s\S]*?)\nend\s*$/m.exec(text) ?? []
  return body === undefined ? [] : [Buffer.concat(body.split("\n").map(uuLine))]
}

const uuLine = (line: string): Buffer => {
  const six = (at: number): number => ((line.charCodeAt(at) || 0x20) - 0x20) & 0x3f
  const bytes: Array<number> = []
  for (let at = 1; bytes.length < six(0); at += 4) {
    const all = (six(at) << 18) | (six(at + 1) << 12) | (six(at + 2) << 6) | six(at + 3)
    bytes.push(all >> 16, (all >> 8) & 0xff, all & 0xff)
  }
  return Buffer.from(bytes.slice(0, six(0)))
}
