import { expect, it } from "vitest"
import { counted } from "../../../packages/switch/src/operate/Counted.ts"

it("One of something is one, and not several", () => {
  const waiting = [0, 1, 2, 1000].map((count) => counted(count, "message waits", "messages wait"))

  expect(waiting).toEqual(["0 messages wait", "1 message waits", "2 messages wait", "1000 messages wait"])
})
