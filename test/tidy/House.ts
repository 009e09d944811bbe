/**
 * The house rules as tables: who may know whom, what may be called where, which words are used.
 *
 * Change a rule here and only here; the checks beside this file read these tables and hold no rule of their own. Every
 * row says what to do instead, because a test that only says "no" is a riddle. Paths are from the root of the
 * repository, with `/`; a home that ends in `/` is a folder.
 */

/** Folders that ship: the strictest rules hold here. */
export const shipped: ReadonlyArray<string> = ["packages/"]

/** Folders whose TypeScript we wrote ourselves. */
export const written: ReadonlyArray<string> = ["packages/", "test/", "bench/", "examples/"]

/**
 * Where a member is `#` and not `private`: what it holds is no member of an inspection or a structured clone then, whoever makes
 * one. Everywhere else `private` says enough.
 */
export const secretKeepers: ReadonlyArray<string> = [
  "packages/codec/src/iso8583/Sensitive.ts",
  "packages/switch/src/guard/SoftwareModule.ts",
  "packages/switch/src/journal/Seal.ts",
  "packages/switch/src/journal/Tag.ts"
]

/** What one package may know of the others and of the world. */
export interface PackageRule {
  /** Workspace packages that may be imported, by their public entry only. */
  readonly workspace: ReadonlyArray<string>
  /** Packages that must not be imported though they are installed; `x/` also means everything below it. */
  readonly forbidden: ReadonlyArray<string>
  /** The only Node modules allowed; undefined: any that the ban table does not name. */
  readonly node?: ReadonlyArray<string>
  /** True: no async function, `await` or Promise. */
  readonly synchronous: boolean
  readonly why: string
}

/** The packages by folder name. docs/decisions/0007-simulator-apart.md */
export const packages: Readonly<Record<string, PackageRule>> = {
  codec: {
    workspace: [],
    forbidden: ["effect", "effect/", "@effect/", "better-sqlite3"],
    node: ["node:buffer", "node:crypto"],
    synchronous: true,
    why: "the codec is pure and synchronous: bytes in, plain values out; hand it what it needs as an argument"
  },
  switch: {
    workspace: ["@jinka/codec"],
    forbidden: ["@jinka/simulator"],
    synchronous: false,
    why: "the switch knows the codec and nothing of the simulator; a test joins the two"
  },
  simulator: {
    workspace: ["@jinka/codec"],
    forbidden: ["@jinka/switch", "better-sqlite3"],
    synchronous: false,
    why: "the simulator judges the switch, so a bug in shared code must not hide itself; write it anew on the codec"
  }
}

/**
 * What each folder of a package may import from its sister folders: bytes -> frames -> messages -> message -> link -> guard ->
 * exchange -> journal. `.` stands for the files directly under src: the entry, the bin, and the switch itself, which is what is
 * operated. A package without a table here has no order among its folders.
 */
export const folders: Readonly<Record<string, Readonly<Record<string, ReadonlyArray<string>>>>> = {
  switch: {
    transport: [],
    journal: [],
    message: [],
    link: ["transport", "message"],
    guard: ["transport", "journal", "message", "link"],
    exchange: ["journal", "message", "link", "guard"],
    operate: ["transport", "journal", "message", "link", "guard", "exchange", "."],
    ".": ["transport", "journal", "message", "link", "guard", "exchange", "operate"]
  }
}

/** One thing that is not called outside its home. */
export interface Ban {
  /**
   * `a.b` a member of a global; `a.*` any member; `f` a global used in any way; `new X` its construction; `new X()` its
   * construction without an argument; `import m` a module (`m/*`: everything below it; `m#a,b`: only these names of it).
   */
  readonly what: ReadonlyArray<string>
  /** Where the ban holds. */
  readonly within: ReadonlyArray<string>
  /** The one home (for each package that has one). */
  readonly homes: ReadonlyArray<string>
  readonly instead: string
}

/** The edge of the two commands: the only places that know about the process around them. */
const commandEdge = ["switch", "simulator"].flatMap((name) => [
  `packages/${name}/src/main.ts`,
  `packages/${name}/src/Platform.ts`,
  `packages/${name}/src/Program.ts`
])

/** Threads of their own that run an effect: each is the edge of its thread. */
const threadEdge = [
  "packages/switch/src/operate/ReadingWorker.ts",
  "packages/switch/src/journal/postgres/PostgresWorker.ts"
]

export const bans: ReadonlyArray<Ban> = [
  {
    what: ["Date.now", "new Date()", "process.hrtime", "process.uptime", "import node:perf_hooks"],
    within: shipped,
    // Lateness of the event loop and garbage collections are known to Node alone.
    homes: ["packages/switch/src/transport/NodeProcess.ts"],
    instead:
      "take the time from Effect's Clock (Clock.currentTimeMillis, currentTimeNanos), or as an argument in pure code"
  },
  {
    what: ["performance.*"],
    within: shipped,
    homes: ["packages/switch/src/journal/SqliteWorker.ts"],
    instead: "take the time from Effect's Clock; only the journal's worker, which has no Effect, measures its commits"
  },
  {
    what: ["import node:fs#readFileSync,readFile,createReadStream"],
    within: ["packages/simulator/src/"],
    homes: ["packages/simulator/src/file/FileBytes.ts"],
    instead: "read by bytesOfFile or textOfFile: a plain read waits for ever for a pipe that nobody writes to"
  },
  {
    what: ["Math.random"],
    within: [...written, "tools/"],
    homes: [],
    instead:
      "draw from Effect's Random, or from a seeded generator whose seed is printed, so that the run can be repeated"
  },
  {
    what: [
      "crypto.randomBytes",
      "crypto.randomUUID",
      "crypto.randomInt",
      "crypto.randomFillSync",
      "crypto.getRandomValues",
      "import node:crypto#randomBytes,randomUUID,randomInt,randomFill,randomFillSync,getRandomValues"
    ],
    within: shipped,
    homes: ["packages/switch/src/journal/", "packages/switch/src/guard/SecureRandom.ts"],
    instead:
      "take random bytes as an argument (codec, guard) or from Effect's Random; only the journal draws nonces for its seals"
  },
  {
    what: ["setTimeout", "setInterval", "setImmediate", "import node:timers", "import node:timers/*"],
    within: shipped,
    homes: [],
    instead: "use Effect.sleep, Schedule or the link's deadline fiber on Clock, so that virtual time can drive it"
  },
  {
    what: ["queueMicrotask", "process.nextTick"],
    within: shipped,
    // The simulator's links gather the writes of a turn; they never run on virtual time.
    homes: ["packages/simulator/src/link/"],
    instead:
      "let the Effect Scheduler order the work (Effect.yieldNow, a Queue, a Latch); the simulation owns that scheduler"
  },
  {
    what: ["Effect.runFork", "Effect.runPromise", "Effect.runPromiseExit", "Effect.runSync", "Effect.runSyncExit"],
    within: shipped,
    homes: [...commandEdge, ...threadEdge],
    instead: "run with the caller's context (Effect.runForkWith(context)); a bare run escapes the simulation's clock"
  },
  {
    what: ["process.env", "process.argv", "import node:process"],
    within: shipped,
    homes: commandEdge,
    instead: "read settings through Config and ConfigProvider, arguments through effect/cli"
  },
  {
    what: ["process.exit", "process.exitCode", "process.abort", "process.kill"],
    within: shipped,
    homes: commandEdge,
    instead: "fail with a typed error; NodeRuntime.runMain turns it into the exit code"
  },
  {
    what: ["console.*", "process.stdout", "process.stderr"],
    within: shipped,
    homes: commandEdge,
    instead: "log through Effect.log (which masks), or print with Effect's Console in the command"
  },
  {
    what: ["import node:child_process", "import node:cluster"],
    within: shipped,
    homes: [],
    instead: "nothing that ships starts processes; tests and benches do"
  },
  {
    what: [
      "import node:net",
      "import node:tls",
      "import node:dgram",
      "import @effect/platform-node/NodeSocket",
      "import @effect/platform-node/NodeSocketServer"
    ],
    within: shipped,
    homes: [
      "packages/switch/src/transport/",
      "packages/simulator/src/link/",
      // A dialogue needs the bare socket: half-open ends, FIN and RST by choice, single bytes.
      "packages/simulator/src/dialogue/Wire.ts"
    ],
    instead: "go through the Transport service; only its implementations touch sockets"
  },
  {
    what: ["import @effect/sql-pg", "import @effect/sql-pg/*"],
    within: shipped,
    homes: ["packages/switch/src/journal/postgres/PostgresConnection.ts"],
    instead: "connect and ask through PostgresConnection; the driver is marked unstable and is known to one file"
  },
  {
    what: ["import better-sqlite3", "import node:sqlite"],
    within: shipped,
    homes: ["packages/switch/src/journal/"],
    instead: "go through the Journal service; only the journal's worker opens the database (better-sqlite3)"
  },
  {
    what: ["eval", "Function", "new Function", "import node:vm"],
    within: shipped,
    homes: ["packages/codec/src/iso8583/"],
    instead:
      "write it out; only the codec generates code from a dialect, with the table interpreter beside it as reference"
  }
]

/** Folders whose code asks the dialect which data element plays which part. What is told to people may name them. */
export const elementsFromDialect: ReadonlyArray<string> = [
  "packages/switch/src/message/",
  "packages/switch/src/link/",
  "packages/switch/src/exchange/",
  "packages/switch/src/journal/"
]

/** The longest source file, in lines. A smell to look at, not a size to squeeze to: what is one idea stays in one file. */
export const LINES_MAX = 450

/** Files whose names are in texts: what generated code calls, and what an entry gives away in part. */
export const namedInTexts: ReadonlyArray<string> = [
  "packages/codec/src/iso8583/generated/Runtime.ts",
  "packages/codec/src/security/index.ts",
  "packages/codec/src/tlv/index.ts"
]

/** Members that the product does not read by itself: it gives the whole away, as JSON or to programs that use the package. */
export const saidOutside: Readonly<Record<string, ReadonlyArray<string>>> = {
  "packages/codec/src/doctor/Examine.ts": ["idleFrames", "openBytes"],
  "packages/codec/src/iso8583/Codec.ts": ["generated"],
  "packages/codec/src/tlv/EmvTags.ts": ["lengthMin"],
  "packages/simulator/src/acquirer/Latency.ts": ["p95"],
  "packages/simulator/src/dialogue/Runner.ts": ["cardData"],
  "packages/simulator/src/issuer/Ledger.ts": ["account"],
  "packages/simulator/src/traffic/Shadow.ts": ["liveMs", "shadowMs"],
  "packages/switch/src/exchange/Recovery.ts": ["resumed"],
  "packages/switch/src/Operations.ts": ["answerMs"],
  // Read by effect.
  "packages/switch/src/operate/admin/Api.ts": ["provides"],
  "packages/switch/src/operate/reference/JsonSchema.ts": ["pattern", "minimum", "maximum"]
}

/** The longest comment line, in characters. Biome holds code to 120 and leaves comments alone; prose may run a little over. */
export const WIDTH_MAX = 130

/** Words that are not the field's own. `whole` words are banned only when they are the entire name. */
export interface Word {
  readonly word: string
  readonly whole?: true
  readonly instead: string
}

export const words: ReadonlyArray<Word> = [
  { word: "payload", instead: "say what it is: message, frame, body, fields" },
  { word: "handler", instead: "name the act: accept, answer, receive, on..." },
  { word: "manager", instead: "name what it owns: group, table, router, journal" },
  { word: "helper", instead: "name the concept, or move the function to the module it serves" },
  { word: "helpers", instead: "name the concept, or move the functions to the modules they serve" },
  { word: "util", instead: "name the concept; one module, one noun" },
  { word: "utils", instead: "name the concept; one module, one noun" },
  { word: "misc", instead: "name the concept; one module, one noun" },
  { word: "job", instead: "exchange, message, entry, run" },
  { word: "task", instead: "exchange, message, entry, run" },
  { word: "data", whole: true, instead: "say what it is: bytes, message, fields, rows" },
  { word: "fate", instead: "outcome; of a message at a partner: reaction" },
  { word: "stray", instead: "unmatched, late, duplicate" },
  { word: "strays", instead: "unmatched, late, duplicate" },
  { word: "salvage", instead: "say what is read: key, format error" },
  { word: "spoil", instead: "corrupt" },
  { word: "spoiling", instead: "corruption" },
  { word: "spoilt", instead: "corrupt" },
  { word: "misfit", instead: "mismatch" },
  { word: "client", instead: "institution, partner, dialling side, short caller" },
  { word: "server", instead: "institution, partner, listening side" }
]

/** A name that is allowed although it holds such a word. A file or folder is named by its path. */
export interface WordAllowed {
  readonly name: string
  readonly within: ReadonlyArray<string>
  readonly because: string
}

export const wordsAllowed: ReadonlyArray<WordAllowed> = [
  {
    name: "server",
    within: ["packages/switch/src/transport/", "packages/simulator/src/link/", "bench/"],
    because: "what node:net and node:tls make to listen"
  },
  { name: "servername", within: shipped, because: "node:tls, the name sent in SNI" },
  { name: "examples/main-job", within: ["examples/"], because: "the entry that the start command names" }
]

/** One thing that must not be in any file of the repository. `find` is a global expression. */
export interface Leak {
  readonly name: string
  readonly find: RegExp
  readonly instead: string
}

/** Written with a character class in each word, so that this table does not find itself. */
export const leaks: ReadonlyArray<Leak> = [
  {
    name: "machine path",
    find: /(?<![\w.:/-])(?:\/[w]ork\/|\/[r]oot\/|\/[h]ome\/[a-z]\w*\/|\/[U]sers\/\w+\/|[A-Z]:\\[U]sers\\)/g,
    instead: "write a path from the root of the repository, or use os.tmpdir() and import.meta.url"
  },
  {
    name: "registry host",
    find: /registry\.[a-z][\w-]*\.\w+|[n]pmjs\.(?:org|com)|[n]pmmirror|[v]erdaccio|[a]rtifactory|\btarball: ?h/gi,
    instead:
      "leave it out: the lock file holds names, versions and hashes; the machine's own npm settings name the host"
  },
  {
    name: "workplace tool",
    find: /\b(?:[c]laude|[a]nthropic|[o]penai|[c]hatgpt|[c]opilot|[g]emini)\b|\b[n]otes\/[\w-]+\.md|\b[s]hared\/[\w-]+\.md/gi,
    instead: "the repository speaks of the product only; restate the fact, with its public source"
  }
]

/**
 * Card numbers that networks and processors publish for tests. Any other number of 16 to 19 digits with a good check
 * digit (ISO/IEC 7812-1 annex B) might be somebody's card.
 */
export const publishedCardNumbers: ReadonlyArray<string> = [
  "4111111111111111",
  "4242424242424242",
  "5555555555554444",
  "5105105105105100",
  "6011111111111117",
  "3566002020360505",
  "6200000000000005",
  "6205500000000000004"
]

/** Fixed values of other fields that happen to have the length and the check digit of a card number. */
export const otherNumbers: Readonly<Record<string, string>> = {
  "2600000000000000": "DE 53 (security control information), a value of CUPS requests with a PIN"
}

/** Where card numbers are looked for: what a reader sees and what ships. Test fixtures name their own source. */
export const cardNumbersWithin: ReadonlyArray<string> = ["docs/", "examples/", "bench/", "packages/", "README.md"]
