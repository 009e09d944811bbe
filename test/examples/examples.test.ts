import { spawn } from "node:child_process"
import { describe, expect, it } from "vitest"

/** Runs an example by its one command, as a reader would; gives its exit code and what it printed. */
const run = (name: string): Promise<{ readonly code: number | null; readonly out: string }> => {
  const main = new URL(`../../examples/${name}/main.ts`, import.meta.url).pathname
  const child = spawn(process.execPath, [main], { env: { ...process.env, NO_COLOR: "1" } })
  let out = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (out += chunk))
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out })))
}

describe("An example that runs with one command", () => {
  it("05-async-simplex: shows both legs, the death of one, both rebuilt, and an exchange before and after", async () => {
    const { code, out } = await run("05-async-simplex")

    expect(code, out).toBe(0)
    expect(out).toContain("purchase 1 answered 00")
    expect(out).toContain("send leg waiting for the other leg")
    expect(out).toContain("receive leg listening")
    expect(out).toContain("PeerReset, send leg: reset by the partner")
    expect(out).toContain("purchase 2 answered 00")
  })

  it("09-groups: uses the backup when the primary dies, fails back after the quiet time, and falls together", async () => {
    const { code, out } = await run("09-groups")

    expect(code, out).toBe(0)
    expect(out.match(/host [ab]: 0200 STAN \d+/g)).toEqual([
      "host a: 0200 STAN 000001",
      "host b: 0200 STAN 000002",
      "host b: 0200 STAN 000003",
      "host a: 0200 STAN 000004"
    ])
    expect(out).toContain("GroupFell, centre-1 of the group centre ended, and the group falls together")
  })
})
