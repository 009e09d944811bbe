/** What the tests of reloads share: files with links on ports of their own, and what a running switch says. */
import { Effect } from "effect"
import { freePort as anyFreePort } from "../../../examples/shared/FreePort.ts"
import { ask } from "../../../packages/switch/src/operate/control/ControlCall.ts"
import { ReloadReport } from "../../../packages/switch/src/operate/control/Report.ts"
import { until } from "./Line.ts"
import type { RunningSwitch } from "./program.ts"

/** A port that nobody listens on now. */
export const freePort = (): Promise<number> => Effect.runPromise(anyFreePort)

/** A link on which the partner connects to us at `port`. */
export const link = (name: string, port: number, more = "") => `  - name: ${name}
    institution: "0103${String(port).padStart(5, "0").slice(-4)}"
    dialect: cups
    listen: { host: 127.0.0.1, port: ${port}, from: [127.0.0.1] }
${more}`

/** The usual two links, with the issuer on a port of our choice and what else is given. */
export const withIssuer =
  (port: number, others = "", issuerKeys = "", routes = "") =>
  (yaml: string): string =>
    yaml
      .replace(/(name: issuer\n.*\n.*\n {4}listen: \{ host: 127.0.0.1, port: )0/, `$1${port}`)
      .replace("routes:\n", `${others}routes:\n${routes}`)
      .replace("    storeAndForward", `${issuerKeys}    storeAndForward`)

/** What the switch says of a link. */
export const linkOf = async (running: RunningSwitch, name: string) =>
  (await running.status()).links.find((one) => one.name === name)

/** Waits until the links are ready. */
export const ready = async (running: RunningSwitch, ...names: ReadonlyArray<string>) => {
  for (const name of names) await until(async () => (await linkOf(running, name))?.ready === true, `${name} is ready`)
}

/** Asks for a reload as `jinka reload` does. */
export const reload = (running: RunningSwitch, dryRun = false) =>
  Effect.runPromise(ask(running.ready.control, "POST", "/reload", ReloadReport, { dryRun }))

/** The same, where it is refused. */
export const refusalOf = async (running: RunningSwitch) =>
  Effect.runPromise(Effect.flip(ask(running.ready.control, "POST", "/reload", ReloadReport, { dryRun: false })))
