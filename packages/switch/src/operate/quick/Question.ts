/** The plain forms of `jinka status` and `jinka trace`, taken from the command line. Pure. */

/** What is asked of a running switch. */
export interface Question {
  readonly what: "status" | "link" | "trace"
  /** A configuration file, or the directory of a journal (`trace`); or where `control.sock` is. */
  readonly place: string
  readonly placeIs: "file" | "control"
  /** The link's name (`link`). */
  readonly link: string
  /** The keys, as the switch takes them (`trace`). */
  readonly keys: { readonly stan?: string; readonly rrn?: string }
  readonly isJson: boolean
}

/** Flags with a value, and what it may be. Whatever else it is the whole program has words for. */
const values: Readonly<Record<string, RegExp>> = {
  "--stan": /^\d{1,12}$/,
  "--rrn": /^[!-,.-~][ -~]{0,11}$/,
  "--control": /^[^-]/
}

/** The question of a command line without the program's own name; `undefined`: it is not one of the plain ones. */
export const questionOf = ([command, ...rest]: ReadonlyArray<string>): Question | undefined => {
  if (command !== "status" && command !== "trace") return undefined
  const flags = new Map<string, string>()
  const places: Array<string> = []
  for (let n = 0; n < rest.length; n++) {
    const word = rest[n]!
    const isValued = values[word] !== undefined
    if (!word.startsWith("-")) places.push(word)
    else if (flags.has(word)) return undefined
    else if (word === "--json") flags.set(word, "")
    else if (isValued && values[word]!.test(rest[n + 1] ?? "")) flags.set(word, rest[++n]!)
    else return undefined
  }
  return command === "trace" ? traceOf(flags, places) : statusOf(flags, places)
}

type Flags = ReadonlyMap<string, string>

const placeOf = (flags: Flags, places: ReadonlyArray<string>): Pick<Question, "place" | "placeIs"> | undefined => {
  const control = flags.get("--control")
  if (control !== undefined) return places.length === 0 ? { place: control, placeIs: "control" } : undefined
  return places[0] === undefined ? undefined : { place: places[0], placeIs: "file" }
}

const statusOf = (flags: Flags, places: ReadonlyArray<string>): Question | undefined => {
  const place = placeOf(flags, places)
  if (place === undefined || places.length > 2 || flags.has("--stan") || flags.has("--rrn")) return undefined
  const link = places[1] ?? ""
  return { what: link === "" ? "status" : "link", ...place, link, keys: {}, isJson: flags.has("--json") }
}

const traceOf = (flags: Flags, places: ReadonlyArray<string>): Question | undefined => {
  const place = placeOf(flags, places)
  const [stan, rrn] = [flags.get("--stan"), flags.get("--rrn")]
  if (place === undefined || places.length > 1 || (stan === undefined && rrn === undefined)) return undefined
  const keys = {
    ...(stan === undefined ? {} : { stan: String(Number(stan)) }),
    ...(rrn === undefined ? {} : { rrn })
  }
  return { what: "trace", ...place, link: "", keys, isJson: flags.has("--json") }
}
