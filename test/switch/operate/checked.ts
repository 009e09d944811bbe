/** A configuration text, checked as `jinka check` does, for the tests of this folder. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect } from "effect"
import * as Configuration from "../../../packages/switch/src/operate/Configuration.ts"
import { type Problem, pathText, problemText } from "../../../packages/switch/src/operate/configuration/text/Problem.ts"

/** A configuration without anything to complain about. */
export const sound = `name: demo
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_TEST_KEY } }
links:
  - name: acquirer
    institution: "48020000"
    dialect: cups
    listen: { host: 127.0.0.1, port: 7001, from: [127.0.0.1] }
  - name: issuer
    institution: "01020000"
    dialect: cups
    connect: { host: 127.0.0.1, port: 7002 }
routes:
  - { bin: "621234", to: issuer }
  - { institution: "01020000", to: issuer }
`

const parsed = (text: string) =>
  Configuration.parse(text, "switch.yaml", "/srv/jinka").pipe(Effect.provide(NodeServices.layer))

/** The configuration of a text that is good. */
export const configurationOf = (text: string): Promise<Configuration.Configuration> => Effect.runPromise(parsed(text))

/** All problems of a text, warnings included, as the operator reads them. */
export const problemsOf = async (text: string): Promise<ReadonlyArray<Problem>> =>
  Effect.runPromise(
    parsed(text).pipe(
      Effect.map(({ warnings }) => warnings),
      Effect.catchTag("ConfigurationInvalid", ({ problems }) => Effect.succeed(problems))
    )
  )

/** Problems as `path: text`. */
export const saidOf = async (text: string): Promise<ReadonlyArray<string>> =>
  (await problemsOf(text)).map((problem) => problemText("switch.yaml", problem))

/** Paths of the problems of one severity. */
export const pathsOf = async (text: string, severity: "error" | "warning"): Promise<ReadonlyArray<string>> =>
  (await problemsOf(text)).filter((one) => one.severity === severity).map(({ path }) => pathText(path))
