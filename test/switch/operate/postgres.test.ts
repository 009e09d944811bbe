/** What a configuration says of a journal in PostgreSQL, as `jinka check` sees it. */
import { describe, expect, it } from "vitest"
import { configurationOf, saidOf, sound } from "./checked.ts"

const withPostgres = (text: string): string =>
  sound.replace("key: { env: JINKA_TEST_KEY }", `key: { env: JINKA_TEST_KEY }, postgres: ${text}`)

describe("journal.postgres", () => {
  it("needs where the URL is and the node's name; the rest has defaults", async () => {
    const { document } = await configurationOf(withPostgres("{ url: { env: JINKA_POSTGRES }, node: n1 }"))
    expect(document.journal.postgres).toEqual({
      url: { env: "JINKA_POSTGRES" },
      node: "n1",
      schema: "jinka",
      takeoverAfter: "3 seconds",
      yieldAfter: "20 seconds"
    })
  })

  it.each([
    ["{ node: n1 }", /journal\.postgres\.url: this key is missing/],
    ["{ url: {}, node: n1 }", /exactly one of `env` and `file`; found neither/],
    ["{ url: { env: A, file: b }, node: n1 }", /exactly one of `env` and `file`; found both/],
    ["{ url: { env: A } }", /journal\.postgres\.node: this key is missing/],
    ["{ url: { env: A }, node: n1, schema: Jinka }", /small letters/],
    ["{ url: { env: A }, node: n1, takeoverAfter: 200 millis }", /from 1 to 60 seconds/],
    ["{ url: { env: A }, node: n1, takeoverAfter: 2 minutes, yieldAfter: 3 minutes }", /from 1 to 60 seconds/],
    ["{ url: { env: A }, node: n1, takeoverAfter: 20 seconds }", /`yieldAfter` is longer than `takeoverAfter`/],
    ["{ url: { env: A }, node: n1 }, keep: 90 days, archive: ./archive", /is archived as PostgreSQL is/],
    ["{ url: { env: A }, node: n1, tls: { key: k.pem } }", /a certificate and its key come together/],
    ["{ url: { env: A }, node: n1, tls: { passphraseFile: p } }", /a passphrase belongs to a `key`/]
  ])("is refused when it makes no sense: %s", async (text, rule) => {
    expect((await saidOf(withPostgres(text))).filter((line) => line.includes("error"))).toEqual([
      expect.stringMatching(rule)
    ])
  })
})
