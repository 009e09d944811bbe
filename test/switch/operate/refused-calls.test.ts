/** Whoever tries the operators' door is seen by the operators: in the audit, the metrics, and as an alarm. */
import { afterEach, expect, it } from "vitest"
import { RefusedCalls } from "../../../packages/switch/src/operate/admin/RefusedCalls.ts"
import { until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitchIn } from "./program.ts"

afterEach(cleanUp)

const viewer = "v".repeat(40)
const stranger = "x".repeat(40)

const withUsers = (text: string) =>
  text.replace(
    "requestTimeout:",
    "admin: { listen: { port: 0 }, users: [ { name: vera, role: view, token: { env: JINKA_VIEW } } ] }\nrequestTimeout:"
  )

it("is told of at the door: by a token of nobody, by an act beyond the role, by what shows nothing", async () => {
  const file = configuration(folder(), withUsers)
  const running = await runSwitchIn({ JINKA_VIEW: viewer }, file)
  const call = async (path: string, token?: string, body?: unknown) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const answer = await fetch(`http://127.0.0.1:${running.ready.admin!.port}${path}`, {
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      headers: { ...headers, "content-type": "application/json" }
    })
    return { status: answer.status, text: await answer.text() }
  }

  const statuses = [
    await call("/api/status"),
    await call("/api/links/issuer/block", viewer, { reason: "I want to" }),
    await call("/api/links/6212345678901232/block", viewer, { reason: "I want to" })
  ].map(({ status }) => status)
  for (let n = 0; n < 12; n++) statuses.push((await call("/session", stranger, {})).status)
  const metrics = (await call("/metrics", viewer)).text
  const audit = await jinka(["audit", file])
  await until(() => running.err().includes("ALARM refusedCalls"), "the alarm in the log")
  const { alarms } = JSON.parse((await call("/api/alarms", viewer)).text)
  await running.stop()

  expect(statuses).toEqual([401, 403, 403, ...Array(12).fill(401)])
  expect(metrics).toContain('jinka_admin_refused_total{by="nobody"} 1\n')
  expect(metrics).toContain('jinka_admin_refused_total{by="role"} 2\n')
  expect(metrics).toContain('jinka_admin_refused_total{by="token"} 12\n')
  // The second of each kind within a minute is counted, and no line.
  expect(audit.out.match(/refused a call with a token/g)).toHaveLength(1)
  expect(audit.out).toMatch(/vera .*\n +refused POST \/api\/links\/issuer\/block for its role, from 127\.0\.0\.1/)
  expect(audit.out).toMatch(/nobody .*\n +refused a call with a token or certificate of nobody, from 127\.0\.0\.1/)
  expect(alarms.map(({ kind }: { kind: string }) => kind)).toContain("refusedCalls")
  expect(running.err()).toContain("14 calls of the last five minutes at the operators' listener were refused")
  for (const text of [running.err(), audit.out, metrics]) expect(text).not.toMatch(/x{40}|v{40}|6212345678901232/)
})

it("is told of once a minute for each kind and user, with how many there were, and shows no card number", () => {
  const refused = new RefusedCalls()
  const told = (now: number, user = "") =>
    refused.add(
      { by: user === "" ? "token" : "role", user, address: "192.0.2.9", call: "POST /a/6212345678901232" },
      now
    )

  expect(told(0)).toEqual({
    user: "nobody",
    what: "refused a call with a token or certificate of nobody, from 192.0.2.9"
  })
  for (let now = 1; now < 50_000; now += 10) expect(told(now)).toBeUndefined()
  expect(told(1, "vera")?.what).toMatch(/^refused POST \/a\/621234\*+1232 for its role, from 192\.0\.2\.9$/)
  expect(told(60_000)?.what).toMatch(/; 5001 like it since the last note, 5002 in all$/)
  expect(refused.attempts).toBe(5003)
})
