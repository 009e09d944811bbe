import { describe, expect, it } from "vitest"
import { cardsOf } from "../../packages/simulator/src/chance/Cards.ts"
import { canariesOf, findCardData } from "../../packages/simulator/src/checker/CardLeaks.ts"

describe("the search for card data", () => {
  const cards = cardsOf({ seed: 3, bins: ["621999"], count: 5 })
  const canaries = canariesOf(cards)
  const { pan, track2, pinBlock } = cards[2]!

  const forms: ReadonlyArray<readonly [string, Buffer]> = [
    ["the card number as text", Buffer.from(`{"pan":"${pan}"}`)],
    ["the card number in hexadecimal", Buffer.from(`xx${Buffer.from(pan).toString("hex")}`)],
    ["the card number in BCD", Buffer.concat([Buffer.from([1]), Buffer.from(pan.slice(0, pan.length & ~1), "hex")])],
    ["the card number in base64", Buffer.from(Buffer.from(pan).toString("base64"))],
    ["the card number inside longer base64", Buffer.from(Buffer.from(`ab${pan}cd`).toString("base64"))],
    ["the card number inside other base64", Buffer.from(Buffer.from(`a${pan}cd`).toString("base64"))],
    ["the end of a track", Buffer.from(`..${track2.slice(pan.length)}..`)],
    ["the bytes of a PIN block", Buffer.concat([Buffer.from("x"), pinBlock])],
    ["a PIN block in HEXADECIMAL", Buffer.from(pinBlock.toString("hex").toUpperCase())]
  ]
  for (const [name, bytes] of forms) {
    it(`finds ${name}`, () => {
      expect(findCardData(bytes, canaries)).not.toEqual([])
    })
  }

  it("finds nothing in masked text", () => {
    expect(findCardData(Buffer.from("621999*********0123 and 5f2a02"), canaries)).toEqual([])
  })
})
