/**
 * HTTP/1.1 as text, as far as the world's callers and its server speak it: a first line, headers, and a body whose length the
 * headers say. Knows no messages of partners.
 */

/** A request or an answer, whole. */
export interface HttpMessage {
  /** `POST /purchases HTTP/1.1`, or `HTTP/1.1 200 OK`. */
  readonly first: string
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** Bytes that are no HTTP. */
export class NotHttp extends Error {
  override readonly name = "NotHttp"
}

const blank = "\r\n\r\n"

/** The bytes of a request or an answer; its length is added to the headers. */
export const httpText = (first: string, headers: Readonly<Record<string, string>>, body: Buffer): Buffer => {
  const lines = [first, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)]
  return Buffer.concat([Buffer.from(`${[...lines, `content-length: ${body.length}`].join("\r\n")}${blank}`), body])
}

/** Takes whole requests, or answers, out of what comes on a connection. Throws `NotHttp`. */
export class HttpReader {
  private rest: Buffer = Buffer.alloc(0)

  read(chunk: Buffer): Array<HttpMessage> {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    const whole: Array<HttpMessage> = []
    for (;;) {
      const end = this.rest.indexOf(blank)
      if (end < 0) return whole
      const [first = "", ...lines] = this.rest.toString("latin1", 0, end).split("\r\n")
      const headers = new Map(lines.map((line) => headerOf(line)))
      const length = Number(headers.get("content-length"))
      if (!first.includes("HTTP/1.1") || !Number.isInteger(length)) throw new NotHttp(first)
      const from = end + blank.length
      if (this.rest.length < from + length) return whole
      whole.push({ first, headers, body: this.rest.subarray(from, from + length) })
      this.rest = this.rest.subarray(from + length)
    }
  }
}

const headerOf = (line: string): readonly [string, string] => {
  const colon = line.indexOf(":")
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}
