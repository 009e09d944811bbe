/**
 * Commands to running partners over HTTP, both ends: `GET /partners` tells their state, `POST /partners/<name>` with
 * `{ send: key, purpose: mac }` makes one say something, in the words of its schedule.
 */
import { coverTyped } from "@jinka/codec"
import type { Effect, Scope } from "effect"
import { type Answer, askLocal, type ControlFailed, refuse, serveLocal } from "../control/LocalHttp.ts"
import { FileInvalid } from "../file/FileInvalid.ts"
import { knownNames } from "../file/Nearest.ts"
import { parseYaml } from "../file/YamlNodes.ts"
import type { Endpoint } from "../link/Listener.ts"
import type { ListenFailed } from "../SimulatorError.ts"
import type { RunningPartner } from "./RunningPartner.ts"
import { wishOf } from "./ScheduleFile.ts"

const said = (partner: RunningPartner, body: string): Answer => {
  const { form, keyPlan } = partner.plan()
  try {
    const why = partner.say(wishOf(form.codec.dialect, keyPlan)(parseYaml("command", body)))
    return why === undefined ? { status: 200, says: { said: body.trim() } } : refuse(409, why)
  } catch (error) {
    if (error instanceof FileInvalid) return refuse(400, coverTyped(error.rule))
    throw error
  }
}

const answerOf = (partners: ReadonlyArray<RunningPartner>, method: string, path: string, body: string): Answer => {
  if (method === "GET" && path === "/partners") {
    return { status: 200, says: { partners: partners.map((one) => ({ partner: one.plan().name, ...one.totals() })) } }
  }
  const name = /^\/partners\/([\w-]{1,40})$/.exec(path)?.[1]
  if (method !== "POST" || name === undefined) return refuse(404, "known are GET /partners and POST /partners/<name>")
  const partner = partners.find((one) => one.plan().name === name)
  const names = partners.map((one) => one.plan().name)
  return partner === undefined
    ? refuse(404, `no partner is called "${name}"; ${knownNames(name, names)}`)
    : said(partner, body)
}

/** Serves commands to partners until the scope closes; gives the address that was taken. */
export const servePartners = (
  partners: () => ReadonlyArray<RunningPartner>,
  at: Endpoint
): Effect.Effect<Endpoint, ListenFailed, Scope.Scope> =>
  serveLocal((method, path, body) => answerOf(partners(), method, path, body), at)

/** Makes a running partner say something. */
export const tellPartner = (
  at: Endpoint,
  name: string,
  body: string
): Effect.Effect<{ readonly [key: string]: unknown }, ControlFailed> =>
  askLocal({ at, who: "partner", hint: "its `--control` says where it does" }, "POST", `/partners/${name}`, body)
