/** A scripted partner without sockets, in made-up time: a file's text, messages of any dialect, and what it answers. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Codec, isMessageError, type Message, MessageIndex, mtiText, originalData } from "@jinka/codec"
import { Effect } from "effect"
import { told } from "../../../packages/simulator/src/dialogue/Observed.ts"
import { memoryHistory } from "../../../packages/simulator/src/history/History.ts"
import type { Posting } from "../../../packages/simulator/src/issuer/Ledger.ts"
import type { Connection } from "../../../packages/simulator/src/partner/Session.ts"
import type { PartnerPlan } from "../../../packages/simulator/src/scripted/PartnerPlan.ts"
import { readPartners } from "../../../packages/simulator/src/scripted/PlanFile.ts"
import { ScriptedPartner } from "../../../packages/simulator/src/scripted/ScriptedPartner.ts"
import { testFolder } from "../../TestFolder.ts"

/** 2026-11-22 13:00:00 UTC. */
export const wallStart = Date.UTC(2026, 10, 22, 13, 0, 0)

/** Runs something with files in a folder of its own. */
export const withFiles = <A>(files: Readonly<Record<string, string>>, run: (folder: string) => A): A => {
  const folder = mkdtempSync(join(testFolder(), "jinka-partner-"))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    return run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The plans of a file's text. Throws what is wrong with it. */
export const plansOf = (text: string, more: Readonly<Record<string, string>> = {}): ReadonlyArray<PartnerPlan> =>
  withFiles({ ...more, "partner.yaml": text }, (folder) =>
    Effect.runSync(readPartners(join(folder, "partner.yaml"), "partner.yaml"))
  ).plans

/** What is wrong with a file's text. */
export const wrongOf = (text: string, more: Readonly<Record<string, string>> = {}): string => {
  try {
    plansOf(text, more)
    return ""
  } catch (error) {
    return (error as Error).message
  }
}

/** The smallest partner of a dialect. */
export const head = (dialect = "cups", more = ""): string =>
  `partner: issuer\ndialect: ${dialect}\nlink: { listen: "127.0.0.1:0" }\n${more}`

/** A money message with everything that a dialect's key and reversal need. */
export const money = (
  { dialect, layout }: Codec,
  change: Readonly<Record<number, string>> = {},
  mti = dialect.version * 1000 + 200
): Message => {
  const { roles } = layout
  const given: Record<number, string> = {
    [roles.pan]: "6200000000000005",
    [roles.processingCode]: "000000",
    [roles.amount]: "12300",
    [roles.transmissionTime]: "1122210000",
    [roles.stan]: "000001",
    12: "210000",
    [roles.acquirer]: "48020000",
    [roles.forwarder]: "48020000",
    [roles.rrn]: "RRN000000001",
    41: "TERM0001",
    42: "MERCHANT0000001",
    ...(dialect.version < 2 ? { [roles.currency]: "156" } : {}),
    ...change
  }
  const fields: Record<number, string> = {}
  for (const [de, value] of Object.entries(given)) {
    const field = layout.fields[Number(de)]
    if (field === undefined) continue
    const isLongAmount = Number(de) === roles.amount && field.units > 12
    // The 2003 edition has currency and exponent before the digits.
    if (isLongAmount) fields[Number(de)] = `1562${value.padStart(12, "0")}`
    else fields[Number(de)] = field.fixed >= 0 && field.content === "n" ? value.padStart(field.units, "0") : value
  }
  return { mti: mtiText(mti), fields }
}

/** The reversal of a message, with its original named as the dialect does. */
export const reversalOf = (codec: Codec, original: Message, stan = "000002"): Message => {
  const { dialect } = codec
  const index = new MessageIndex()
  const bytes = encoded(codec, original)
  codec.index(bytes, 0, bytes.length, index)
  const data = originalData(dialect, index)
  const own =
    data === undefined ? {} : { [codec.layout.roles.stan]: stan, [dialect.reversal!.originalData.field]: data }
  const reversal = money(codec, { ...own, [codec.layout.roles.amount]: "12300" }, dialect.version * 1000 + 420)
  return reversal
}

export const encoded = (codec: Codec, message: Message): Buffer => {
  const bytes = codec.encode(message)
  if (isMessageError(bytes)) throw new Error(JSON.stringify(bytes))
  return bytes
}

/** A partner at work, with one connection. */
export class Bench {
  now = 0
  readonly plan: PartnerPlan
  readonly partner: ScriptedPartner
  readonly history = memoryHistory()
  readonly postings: Array<Posting> = []
  readonly sent: Array<Buffer> = []
  readonly closed: Array<string> = []
  readonly connection: Connection<Buffer>

  constructor(text: string, more: Readonly<Record<string, string>> = {}) {
    this.plan = plansOf(text, more)[0]!
    const time = { monotonic: () => this.now, wall: () => wallStart + this.now }
    this.partner = new ScriptedPartner(this.plan, this.history, time, (posting) => this.postings.push(posting))
    this.connection = {
      epoch: 1,
      send: (bytes) => this.sent.push(bytes),
      close: (_, how = "fin") => this.closed.push(how)
    }
    this.partner.speakBy((bytes) => this.sent.push(bytes) > 0)
    this.partner.linkUp(this.connection)
  }

  get codec(): Codec {
    return this.plan.form.codec
  }

  /** Bytes of a message that come to it. */
  say(message: Message): void {
    this.partner.received(this.connection, told(this.plan.form, encoded(this.codec, message), 0))
  }

  /** What it has sent since the last look, as far as it can be read. */
  heard(): ReadonlyArray<Message> {
    return this.sent.splice(0).map((bytes) => {
      const message = this.codec.decode(bytes)
      return isMessageError(message) ? { mti: message._tag, fields: {} } : message
    })
  }

  /** The codes of what it has sent. */
  codes(): ReadonlyArray<unknown> {
    return this.heard().map(({ fields }) => fields[this.codec.layout.roles.responseCode])
  }

  pass(ms: number): void {
    this.now += ms
    this.partner.tick()
  }
}

/** A stan of six digits. */
export const stan = (n: number): string => String(n).padStart(6, "0")
