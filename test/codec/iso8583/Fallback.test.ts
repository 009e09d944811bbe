import { execFileSync } from "node:child_process"
import { describe, expect, it } from "vitest"

describe("Where code generation is forbidden", () => {
  it("the table does the work, with the same results", () => {
    const index = new URL("../../../packages/codec/src/index.ts", import.meta.url).href
    const script = `
      import { compile, cups } from ${JSON.stringify(index)}
      const codec = compile(cups)
      const message = codec.encode({ mti: "0200", fields: { 2: "6225881234567890", 11: "123456" } })
      process.stdout.write(JSON.stringify({ generated: codec.generated, decoded: codec.decode(message).fields }))
    `
    const flags = ["--disallow-code-generation-from-strings", "--input-type=module", "--eval", script]

    expect(JSON.parse(execFileSync(process.execPath, flags, { encoding: "utf8" }))).toEqual({
      generated: false,
      decoded: { 2: "622588******7890", 11: "123456" }
    })
  })
})
