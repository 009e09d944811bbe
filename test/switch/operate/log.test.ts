/** The log as text: one line for each event, whatever its text holds. */
import { Effect } from "effect"
import { afterEach, expect, it, vi } from "vitest"
import * as Log from "../../../packages/switch/src/operate/Log.ts"

afterEach(() => {
  vi.restoreAllMocks()
})

it("has a text of several lines in one, with a blank between its sentences", () => {
  const said: Array<string> = []
  vi.spyOn(console, "error").mockImplementation((line: string) => void said.push(line))
  const problems =
    "a.yaml:1:1 error: this key is missing. Add `links:`.\n  a.yaml:2:1 error: no YAML.\r\nNothing was changed."
  Effect.runSync(Effect.logError(`refused: ${problems}\u0007`).pipe(Effect.provide(Log.layer("text"))))

  expect(said).toHaveLength(1)
  expect(said[0]).toMatch(
    / ERROR refused: a\.yaml:1:1 error: this key is missing\. Add `links:`\. a\.yaml:2:1 error: no YAML\. Nothing was changed\.\.$/
  )
})
