import { describe, expect, it } from "vitest"
import { keyFileFault, keyFileFix } from "../../../packages/switch/src/transport/KeyFile.ts"

describe("a file that holds a key", () => {
  const [root, self, stranger] = [0, 1000, 1001]
  const cases: ReadonlyArray<readonly [mode: number, owner: number, user: number, fault: RegExp | undefined]> = [
    [0o100600, self, self, undefined],
    [0o100400, self, self, undefined],
    [0o100640, self, self, /mode 0640/],
    [0o100604, self, self, /mode 0604/],
    [0o100620, self, self, /mode 0620/],
    [0o100600, stranger, self, /belongs to the user 1001, and not to this one \(1000\) or to root/],
    [0o100640, root, self, undefined],
    [0o100660, root, self, /mode 0660/],
    [0o100644, root, self, /mode 0644/],
    [0o100600, root, root, undefined],
    [0o100640, root, root, /mode 0640/],
    [0o100600, self, root, /belongs to the user 1000/]
  ]

  for (const [mode, owner, user, fault] of cases) {
    const said = fault === undefined ? "taken" : "refused"
    it(`is ${said} with mode ${mode.toString(8)} of user ${owner} for user ${user}`, () => {
      const found = keyFileFault({ mode, uid: owner }, user)

      if (fault === undefined) expect(found).toBeUndefined()
      else expect(found).toMatch(fault)
    })
  }

  it("that is another user's is given a remedy for that, and not for its mode alone", () => {
    expect(keyFileFix).toContain("as the user of the switch")
    expect(keyFileFix).toContain("`chown`")
    expect(keyFileFix).toContain("`chmod 600`")
  })
})
