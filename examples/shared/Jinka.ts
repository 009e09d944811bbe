/** `jinka` as a process, for the examples: `run` beside the story, and every other command with what it printed. */
import { spawn } from "node:child_process"
import { hash } from "node:crypto"
import { mkdirSync, rmSync } from "node:fs"
import { get } from "node:http"
import { fileURLToPath } from "node:url"
import { Console, Effect } from "effect"
import { type Child, programFile, run, type Start, start } from "../main-job/Child.ts"

/** Keys for these demonstrations. Real ones are made once, with `openssl rand -hex 32`, and kept in a safe place. */
const env = {
  JINKA_JOURNAL_KEY: hash("sha256", "jinka demonstration"),
  JINKA_STORAGE_KEY: hash("sha256", "jinka demonstration, partners' keys")
}

/** What the switch says of a link, as far as the examples look at it. */
export interface LinkSaid {
  readonly state: string
  readonly ready: boolean
  readonly ends: ReadonlyArray<{ readonly reason: string }>
}

/** What the switch says of itself, as far as the examples look at it. */
interface SwitchSaid {
  readonly links: ReadonlyArray<LinkSaid>
  readonly module: { readonly state: string } | null
}

/** What `path` of the control socket says: of all links, or of one. */
const asked = (socketPath: string, path: string): Effect.Effect<SwitchSaid> =>
  Effect.callback((resume) => {
    get({ socketPath, path }, (response) => {
      let text = ""
      response.on("data", (chunk) => (text += chunk))
      response.on("end", () => resume(Effect.succeed(JSON.parse(text))))
    }).on("error", (error) => resume(Effect.die(error)))
  })

/** Asks again and again until the answer is as `is` says. A question over the socket takes a moment. */
const askedUntil = (socketPath: string, path: string, is: (said: SwitchSaid) => boolean) =>
  asked(socketPath, path).pipe(
    Effect.tap((said) => (is(said) ? Effect.void : Effect.sleep("250 millis"))),
    Effect.repeat({ until: is })
  )

/** Runs `jinka` with a standard input; the lines that it printed. */
const piped = (args: ReadonlyArray<string>, input: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.callback((resume) => {
    const main = programFile("packages/switch/src/main.ts")
    const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env, NO_COLOR: "1" } })
    let text = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk))
    child.once("close", () => resume(Effect.succeed(text.trimEnd().split("\n"))))
    child.stdin.end(input)
  })

/** The commands of one example. Its journal and logs are in `.jinka/NAME`, and new at each start. */
export const jinkaOf = (name: string) => {
  const file = "switch.yaml"
  const home = fileURLToPath(new URL(`../../.jinka/${name}`, import.meta.url))
  const configuration = fileURLToPath(new URL(`../${name}/${file}`, import.meta.url))
  const socket = `${home}/journal/control.sock`
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const command = (what: string, ...args: ReadonlyArray<string>): Start => ({
    name: what,
    file: "packages/switch/src/main.ts",
    args: [what, configuration, ...args],
    env,
    logFile: `${home}/${what}.log`
  })
  return {
    /** Starts the switch; ready when this is done. */
    start: Effect.gen(function* () {
      const running = yield* start(command("run"))
      yield* running.until("ready")
      return running
    }),
    /** Ends the switch in order, as its supervisor does; `jinka stop` does the same. */
    stopped: Effect.fnUntraced(function* (running: Child) {
      running.signal("SIGTERM")
      const end = yield* running.exited
      if (end !== 0) return yield* Effect.die(new Error(`the switch did not end in order: ${end}`))
      yield* Console.log("\nthe switch was told to stop (SIGTERM), and has ended in order")
    }),
    /** Runs a command and prints what it printed, or the lines of it that `isWanted`. */
    shown: Effect.fnUntraced(function* (
      what: string,
      args: ReadonlyArray<string> = [],
      isWanted: (line: string) => boolean = () => true
    ) {
      yield* Console.log(`\n$ jinka ${[what, file, ...args].join(" ")}`)
      const { text } = yield* run(command(what, ...args))
      yield* Console.log(text.filter(isWanted).join("\n"))
    }),
    /** Runs a command of two words and prints what it printed; `input` is its standard input, which is shown as a dot. */
    told: Effect.fnUntraced(function* (
      words: readonly [string, string],
      args: ReadonlyArray<string> = [],
      { input = "", isWanted = () => true }: { input?: string; isWanted?: (line: string) => boolean } = {}
    ) {
      const typed = args.map((one) => (/\s/.test(one) ? `"${one}"` : one))
      yield* Console.log(`\n$ jinka ${[...words, file, ...typed].join(" ")}${input === "" ? "" : " < ..."}`)
      const lines = yield* piped([...words, configuration, ...args], input)
      yield* Console.log(lines.filter(isWanted).join("\n"))
    }),
    /** Runs `jinka check` for another file of the example and prints the lines that `isWanted`. */
    checked: Effect.fnUntraced(function* (file: string, isWanted: (line: string) => boolean) {
      yield* Console.log(`\n$ jinka check ${file}`)
      const other = fileURLToPath(new URL(`../${name}/${file}`, import.meta.url))
      const { text } = yield* run({ ...command("check"), args: ["check", other] })
      yield* Console.log(text.filter(isWanted).join("\n"))
    }),
    /** Waits until a link is as `is` says, and gives what the switch says of it. */
    until: (link: string, is: (link: LinkSaid) => boolean): Effect.Effect<LinkSaid> =>
      askedUntil(socket, `/links/${link}`, ({ links: [found] }) => is(found!)).pipe(
        Effect.map(({ links: [found] }) => found!)
      ),
    /** Waits until the security module is in this state. */
    devices: (state: "up" | "away"): Effect.Effect<void> =>
      Effect.asVoid(askedUntil(socket, "/status", ({ module }) => module?.state === state)),
    /** Waits until this many of the links are ready. */
    ready: (count: number): Effect.Effect<void> =>
      Effect.asVoid(askedUntil(socket, "/status", ({ links }) => links.filter(({ ready }) => ready).length === count))
  }
}
