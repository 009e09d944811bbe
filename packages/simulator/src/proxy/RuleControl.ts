/**
 * Rules of a running proxy over HTTP, both ends: `GET /rules`, `POST /rules`, `PUT /rules/3`, `DELETE /rules/3`, `DELETE /rules`.
 * A rule travels as plain text.
 */
import { coverTyped } from "@jinka/codec"
import type { Effect, Scope } from "effect"
import { type Answer, askLocal, type ControlFailed, refuse, serveLocal } from "../control/LocalHttp.ts"
import type { Endpoint } from "../link/Listener.ts"
import type { ListenFailed } from "../SimulatorError.ts"
import { needsMessages } from "./FaultRule.ts"
import type { FaultRules } from "./FaultRules.ts"
import { parseRule, RuleInvalid } from "./RuleText.ts"

const put = (rules: FaultRules, text: string, id: number | undefined): Answer => {
  try {
    const rule = parseRule(text.trim())
    if (needsMessages(rule) && !rules.readsMessages)
      return refuse(400, "the rule is about messages, and the proxy's file gives no dialect")
    const number = rules.set(rule, id)
    return number === undefined ? refuse(404, `there is no rule ${id}`) : { status: 200, says: { id: number } }
  } catch (error) {
    if (error instanceof RuleInvalid) return refuse(400, coverTyped(error.message))
    throw error
  }
}

const answerOf = (rules: FaultRules, method: string, path: string, body: string): Answer => {
  const found = /^\/rules(?:\/(\d{1,9}))?$/.exec(path)
  if (found === null) return refuse(404, "known are /rules and /rules/<number>")
  const id = found[1] === undefined ? undefined : Number(found[1])
  if (method === "GET" && id === undefined) return { status: 200, says: { rules: rules.list() } }
  if (method === "POST" && id === undefined) return put(rules, body, undefined)
  if (method === "PUT" && id !== undefined) return put(rules, body, id)
  if (method !== "DELETE") return refuse(405, "known are GET, POST and DELETE /rules, PUT and DELETE /rules/<number>")
  const cleared = rules.clear(id)
  return id !== undefined && cleared === 0 ? refuse(404, `there is no rule ${id}`) : { status: 200, says: { cleared } }
}

/** Serves the rules until the scope closes; gives the address that was taken. */
export const serveRules = (rules: FaultRules, at: Endpoint): Effect.Effect<Endpoint, ListenFailed, Scope.Scope> =>
  serveLocal((method, path, body) => answerOf(rules, method, path, body), at)

/** Asks a running proxy. The answer's object, or why there is none. */
export const askRules = (
  at: Endpoint,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body = ""
): Effect.Effect<{ readonly [key: string]: unknown }, ControlFailed> =>
  askLocal({ at, who: "proxy", hint: 'its file\'s "control:" says where it does' }, method, path, body)
