import { describe, expect, it } from "vitest"
import { cardsOf, hasLuhn, luhnDigit, maskPan } from "../../packages/simulator/src/chance/Cards.ts"
import { chanceOf } from "../../packages/simulator/src/chance/Chance.ts"

describe("chance", () => {
  it("gives the same draws for the same seed and salt, and others for another salt", () => {
    const draw = (salt: string) => {
      const chance = chanceOf(7, salt)
      return Array.from({ length: 20 }, () => chance.word())
    }

    expect(draw("a")).toEqual(draw("a"))
    expect(draw("a")).not.toEqual(draw("b"))
  })

  it("draws percentages close to what was asked for", () => {
    const hits = Array.from({ length: 20_000 }, (_, i) => chanceOf(3, i).percent(25)).filter((hit) => hit).length

    expect(hits).toBeGreaterThan(4_600)
    expect(hits).toBeLessThan(5_400)
  })

  it("never reaches the upper limit", () => {
    const chance = chanceOf(1, "limit")
    const drawn = Array.from({ length: 10_000 }, () => chance.between(3, 5))

    expect(new Set(drawn)).toEqual(new Set([3, 4, 5]))
  })
})

describe("made-up cards", () => {
  const cards = cardsOf({ seed: 7, bins: ["621999", "62299912"], count: 60 })

  it("have a valid Luhn digit, start with a configured BIN and have 16 or 19 digits", () => {
    expect(cards.every(({ pan }) => hasLuhn(pan))).toBe(true)
    expect(cards.every(({ pan }) => pan.startsWith("621999") || pan.startsWith("62299912"))).toBe(true)
    expect(new Set(cards.map(({ pan }) => pan.length))).toEqual(new Set([16, 19]))
  })

  it("compute the Luhn digit of ISO/IEC 7812-1's published example", () => {
    expect(luhnDigit("7992739871")).toBe("3")
    expect(hasLuhn("79927398710")).toBe(false)
  })

  it("carry a track 2 of at most 37 characters that begins with the card number, and an 8-byte PIN block", () => {
    for (const { pan, track2, pinBlock } of cards) {
      expect(track2.length).toBeLessThanOrEqual(37)
      expect(track2.startsWith(`${pan}=`)).toBe(true)
      expect(pinBlock.length).toBe(8)
    }
  })

  it("show only the first six and the last four digits when masked", () => {
    expect(maskPan("6219991234567890123")).toBe("621999*********0123")
    expect(maskPan("12345")).toBe("*****")
  })
})
