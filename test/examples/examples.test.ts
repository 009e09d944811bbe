import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { beforeAll, describe, expect, it } from "vitest"
import { needFreePorts } from "../Ports.ts"
import { builtExample, usePrograms } from "../programs/Programs.ts"

/** Examples wait more than they work: two run at once. */
const AT_ONCE = 2
const waiting: Array<() => void> = []
let running = 0

/**
 * Runs an example by its one command, as a reader would, but built: from its source test/docs runs the first one. Gives its exit
 * code and what it printed.
 */
const run = async (name: string): Promise<{ readonly code: number | null; readonly out: string }> => {
  if (running === AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  else running++
  return started(name).finally(() => {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  })
}

const started = (name: string): Promise<{ readonly code: number | null; readonly out: string }> => {
  const child = spawn(process.execPath, [builtExample(`examples/${name}/main.ts`)], {
    env: { ...process.env, NO_COLOR: "1" }
  })
  let out = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (out += chunk))
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out })))
}

const examples = new URL("../../examples/", import.meta.url)
beforeAll(() => {
  usePrograms()
  // The first link is test/docs' own.
  const files = readdirSync(examples, { recursive: true, encoding: "utf8" }).filter((name) =>
    /^(?!01)\d\d-.*\.(?:yaml|ts)$/.test(name)
  )
  return needFreePorts(...files.map((name) => readFileSync(new URL(name, examples), "utf8")))
})

describe("The ports of an example", () => {
  it("are its own: examples run beside each other", () => {
    const users = new Map<string, Set<string>>()
    for (const name of readdirSync(examples, { recursive: true, encoding: "utf8" })) {
      const [example = ""] = name.split("/")
      if (!/^\d\d-.*\.(?:yaml|ts)$/.test(name)) continue
      for (const port of readFileSync(new URL(name, examples), "utf8").match(/\b7[89]\d\d\b/g) ?? [])
        users.set(port, (users.get(port) ?? new Set()).add(example))
    }

    expect(users.size).toBeGreaterThan(20)
    expect([...users].filter(([, all]) => all.size > 1).map(([port, all]) => `${port}: ${[...all]}`)).toEqual([])
  })
})

// Each has ports of its own, and waits more than it works.
describe.concurrent("An example that runs with one command", () => {
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

  it("10-odd-partner: frames and a TPDU as data, half a frame, a cable out for a moment and for good, unwise times", async () => {
    const { code, out } = await run("10-odd-partner")

    expect(code, out).toBe(0)
    expect(out).toContain("purchase 1 answered 00, TPDU to 8001 from 0012")
    expect(out).toMatch(/STX 02, length \d{4}, MTI 0200 \.\.\. ETX 03, LRC [0-9a-f]{2}; no TPDU/)
    expect(out).toContain("FrameTimeout, a frame was open for 1000 ms")
    expect(out).toContain("the same connection lives on (0 new ones)")
    expect(out).toContain("PeerSilent")
    expect(out).toContain("purchase 3 answered 00")
    expect(out).toMatch(/warning links\[1\]\.connect\.keepAlive: the kernel ends the link after 2 seconds/)
    expect(out).toMatch(/warning links\[1\]\.partnerIdleTimeout: .*the smaller of both sides' idle timeouts wins/)
  })

  it("11-keys: two persons bring keys, zones change theirs under load, a changed message is refused", async () => {
    const { code, out } = await run("11-keys")

    expect(code, out).toBe(0)
    expect(out).toContain("Component 1 of 2 is here. Missing: 2")
    const [, bought] = /^answers: (\d+) of 00; MACs that were not right at the issuer: 0$/m.exec(out)!
    expect(Number(bought)).toBeGreaterThanOrEqual(80)
    expect(out).toContain(`a purchase whose amount was changed on its way: A0; the issuer has seen ${bought} purchases`)
    expect(out).toMatch(/^issuer {2}mac\/both {2}3 {2}tdes {2}check value \w{6}/m)
    expect(out).toMatch(/^good: \d+ entries/m)
  })

  it("13-hsm: keys in two devices, one restarted under load, and nothing passes while both are off", async () => {
    const { code, out } = await run("13-hsm")

    expect(code, out).toBe(0)
    expect(out).toContain("keys       hsm up")
    const [, bought, seen] = /^answers: (\d+) of 00; the issuer has seen (\d+) right MACs and 0 wrong ones$/m.exec(out)!
    expect(Number(bought)).toBeGreaterThanOrEqual(80)
    // More than were bought where one was made anew: its answer could not get its MAC in time.
    expect(Number(seen)).toBeGreaterThanOrEqual(Number(bought))
    expect(out).toContain("keys       hsm away")
    expect(out).toContain("a purchase meanwhile: no answer, and the issuer has seen 0 of it")
    expect(out).toContain("and when they are back: 00, with a right MAC")
    expect(out).toMatch(/^good: \d+ entries/m)
  })

  it("02-sync-short: a connection for each exchange, and the reversal of one that broke", async () => {
    const { code, out } = await run("02-sync-short")

    expect(code, out).toBe(0)
    expect(out).toContain("purchase 3 answered 00; connections to the host so far: 3")
    expect(out).toContain("0200 0200 0200 0200 0420")
  })

  it("03-sync-long: five wait in line on one connection, and a timeout closes it", async () => {
    const { code, out } = await run("03-sync-long")

    expect(code, out).toBe(0)
    expect(out).toContain("answered 00 00 00 00 00")
    expect(out).toContain("AnswerOverdue")
  })

  it("04-async-short: answers on other connections than their requests, each to its own terminal", async () => {
    const { code, out } = await run("04-async-short")

    expect(code, out).toBe(0)
    expect(out).toContain("each its own: 000001 000002 000003 000004")
  })

  it("06-bridge: two hundred terminals with one STAN, each with its own answer over one connection", async () => {
    const { code, out } = await run("06-bridge")

    expect(code, out).toBe(0)
    expect(out).toContain("the centre saw 200 different STANs on 1 connection")
    expect(out).toContain("200 terminals got their own")
  })

  it("07-http-door: takes calls as JSON and as bytes over one link upstream, and refuses a body that is no message", async () => {
    const { code, out } = await run("07-http-door")

    expect(code, out).toBe(0)
    expect(out).toContain("as JSON: HTTP 200, 0210 with DE 39 00")
    expect(out).toContain("ten at once as bytes: DE 39 00 00 00 00 00 00 00 00 00 00")
    expect(out).toContain('a wrong body: HTTP 400 {"error":"FieldInvalid","de":3')
  })

  it("08-many-institutions: tells four institutions apart by certificate and header, and closes three strangers", async () => {
    const { code, out } = await run("08-many-institutions")

    expect(code, out).toBe(0)
    for (const bank of ["A, by its certificate", "B, by its certificate", "C, by its header", "D, by its header"]) {
      expect(out).toContain(`bank ${bank}: answered 00`)
    }
    expect(out).toContain("2 admitted; refused IdentityUnknown 1, CertificateUntrusted 1")
  })

  it("11-faults: a proxy with rules about messages, changed while it runs, and the checker's word on it", async () => {
    const { code, out } = await run("11-faults")

    expect(code, out).toBe(0)
    expect(out).toContain('$ jinka-sim proxy set "drop 0430 once"')
    expect(out).toMatch(/duplicate 0210 every 37th .* in force/)
    expect(out).toMatch(/the proxy: drop \d+/)
    expect(out).toMatch(/one-answer: answered again .*the proxy's own "duplicate 0210 every 37th"/)
    expect(out).toContain("Every rule was kept.")
    expect(out).toMatch(/money-total .*kept/)
  })

  it("12-load: latencies from the intended start, a report with plots, and the knee", async () => {
    const { code, out } = await run("12-load")

    expect(code, out).toBe(0)
    expect(out).toMatch(/purchase .*issuer/)
    expect(out).toContain("generator lag")
    expect(out).toMatch(/codes of inquiry on issuer: 00: \d+/)
    // Which of them is the machine's business.
    expect(out).toMatch(
      /is the highest rate with p90 < 100 ms|no rate kept p90 < 100 ms|kept p90 < 100 ms, and above it the generator was the limit/
    )
  })
})
