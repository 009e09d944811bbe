import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Due, OURS } from "../../../packages/switch/src/exchange/delivery/Due.ts"

interface Message {
  readonly name: string
  readonly origin: number
  readonly key: string
}

const message = (name: string, origin: number, key = name): Message => ({ name, origin, key })
const free = { isUnderWay: () => false, isEarly: () => false, mayHave: () => true, isHere: () => true }
const of = { origin: ({ origin }: Message) => origin, key: ({ key }: Message) => key }

describe("stored messages that are due", () => {
  it("sends our own reversals first and then the partners' in turn, behind however many of one partner", () => {
    const due = new Due<Message>(of)
    for (let n = 0; n < 34_000; n++) due.add(message(`a${n}`, 1))
    due.add(message("b", 2))
    due.add(message("ours", OURS))

    expect(Array.from({ length: 4 }, () => due.next(free)?.name)).toEqual(["ours", "a0", "b", "a1"])
  })

  it("lets a message whose key is under way step aside, and brings it back in front when the key is free", () => {
    const due = new Due<Message>(of)
    for (const one of [message("a1", 1, "k"), message("a2", 1, "k"), message("a3", 1)]) due.add(one)
    const underWay = new Set(["k"])
    const obstacles = { ...free, isUnderWay: (key: string) => underWay.has(key) }

    expect(due.next(obstacles)?.name).toBe("a3")
    expect(due.next(obstacles)).toBeUndefined()

    underWay.clear()
    due.freed("k")
    due.add(message("a4", 1))

    expect(due.next(obstacles)?.name).toBe("a1")

    due.freed("k")
    expect(due.next(obstacles)?.name).toBe("a2")
  })

  it("keeps a message back whose original has not ended, and nobody behind it", () => {
    const due = new Due<Message>(of)
    for (const name of ["a1", "a2", "a3"]) due.add(message(name, 1))
    let isOpen = true
    const isEarly = ({ name }: Message) => isOpen && name !== "a3"

    expect(due.next({ ...free, isEarly })?.name).toBe("a3")

    due.again(isEarly)
    expect(due.next({ ...free, isEarly })).toBeUndefined()

    isOpen = false
    due.again(isEarly)
    expect([due.next({ ...free, isEarly })?.name, due.next({ ...free, isEarly })?.name]).toEqual(["a1", "a2"])
  })

  it("passes a partner that may have no more under way, but never our own", () => {
    const due = new Due<Message>(of)
    due.add(message("a", 1))
    due.add(message("b", 2))
    due.add(message("ours", OURS))
    const obstacles = { ...free, mayHave: (origin: number) => origin === 2 }

    expect([due.next(obstacles)?.name, due.next(obstacles)?.name, due.next(obstacles)]).toEqual([
      "ours",
      "b",
      undefined
    ])
  })

  it("loses no message and gives none twice, whatever is in their way", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -1, max: 3 }), fc.integer({ min: 0, max: 3 }), fc.boolean()), {
          maxLength: 60
        }),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 }),
        (messages, ends) => {
          const due = new Due<Message & { readonly early: boolean }>(of)
          messages.forEach(([origin, key, early], n) => {
            due.add({ ...message(String(n), origin, `k${key}`), early })
          })
          const underWay = new Set<string>()
          const sent: Array<string> = []
          let isOpen = true
          const isEarly = ({ early }: { readonly early: boolean }) => early && isOpen
          const send = () => {
            for (;;) {
              const one = due.next({ ...free, isUnderWay: (key) => underWay.has(key), isEarly })
              if (one === undefined) return
              expect(underWay.has(one.key)).toBe(false)
              underWay.add(one.key)
              sent.push(one.name)
            }
          }
          const end = (key: string) => {
            if (underWay.delete(key)) due.freed(key)
            send()
          }
          send()
          for (const key of ends) end(`k${key}`)
          isOpen = false
          due.again(isEarly)
          send()
          for (let left = messages.length; left > 0; left--) for (const key of [...underWay]) end(key)
          expect([...sent].sort((a, b) => Number(a) - Number(b))).toEqual(messages.map((_, n) => String(n)))
        }
      )
    )
  })
})
