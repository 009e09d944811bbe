/** Load files: links, messages, their mix, and the load over time. docs/reference/load.md lists the keys. */
import { dirname, resolve } from "node:path"
import type { Effect } from "effect"
import { textOfFile } from "../file/FileBytes.ts"
import type { FileInvalid } from "../file/FileInvalid.ts"
import { formKeys, macKey, tlsKey } from "../file/FormKeys.ts"
import { MapReader, mapOf, namedOf, readFile } from "../file/MapReader.ts"
import { modeKeys } from "../file/ModeKeys.ts"
import { knownNames } from "../file/Nearest.ts"
import {
  anyOf,
  besideText,
  durationOf,
  eachOf,
  filledOf,
  invalidAt,
  numberOf,
  textOf,
  textsOf,
  wholeOf,
  type Yaml,
  yesNoOf
} from "../file/YamlNodes.ts"
import type { Mode } from "../link/ModeLink.ts"
import { reasonOf } from "../SimulatorError.ts"
import { CONNECTIONS_MAX, isListening, type LoadLinkSettings } from "./LoadLinkSettings.ts"
import { type Phase, ProfileInvalid, parsePhase, profileLasts } from "./Profile.ts"
import { type Rows, Template, TemplateInvalid, type TemplateSource } from "./Template.ts"

/** One line of the mix. */
export interface MixLine {
  readonly weight: number
  readonly message: TemplateSource
  /** Index of the link; -1: any, in turn. */
  readonly link: number
}

/** A load as a file describes it. Times in milliseconds. */
export interface LoadSettings {
  readonly file: string
  readonly seed: number
  readonly links: ReadonlyArray<LoadLinkSettings>
  readonly mix: ReadonlyArray<MixLine>
  readonly rows: Rows
  readonly phases: ReadonlyArray<Phase>
  readonly timeoutMs: number
  /** How long the links may take to come up. */
  readonly upMs: number
  readonly warmUpMs: number
  /** To add to UTC for {time}. */
  readonly utcOffsetMs: number
}

/** Minutes that a place is ahead of UTC. */
const minutesOf = (yaml: Yaml): number => {
  const text = textOf(yaml)
  if (/^-?\d{1,3}$/.test(text) && Number(text) >= -720 && Number(text) <= 840) return Number(text)
  throw invalidAt(yaml, `${yaml.key}: minutes from -720 to 840 are expected: 480 is +08:00, -300 is -05:00`)
}

const mtiOf = (yaml: Yaml): string => {
  const mti = textOf(yaml)
  if (/^\d{4}$/.test(mti)) return mti
  throw invalidAt(yaml, `${yaml.key}: four digits are expected, not "${mti}"`)
}

/** Response codes, at least one. */
const codesOf = (yaml: Yaml): ReadonlySet<string> => {
  const codes = eachOf(filledOf)(yaml)
  if (codes.length > 0) return new Set(codes)
  throw invalidAt(yaml, `${yaml.key}: at least one response code is expected`)
}

const messageOf = (name: string, yaml: Yaml): TemplateSource =>
  mapOf(name, (keys) => ({
    name,
    mti: keys.need("mti", mtiOf),
    header: keys.get("header", textsOf),
    codes: keys.get("codes", codesOf),
    fields: Object.fromEntries(keys.fields().map(([de, value]) => [de, textOf(value)]))
  }))(yaml)

/** Rows of a file of values with commas between, names in the first line; quotes are not known. */
const rowsOf = (yaml: Yaml): Rows => {
  const lines = besideText(yaml)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .map((line) => line.split(",").map((cell) => cell.trim()))
  const [columns = [], ...rows] = lines
  if (columns.some((name) => /^".*"$/.test(name)))
    throw invalidAt(yaml, `${yaml.key}: quotes are part of the values here: write names and values without them`)
  if (rows.length === 0) throw invalidAt(yaml, `${yaml.key}: a line of names and at least one row are expected`)
  const short = rows.findIndex((row) => row.length !== columns.length)
  if (short >= 0) throw invalidAt(yaml, `${yaml.key}: row ${short + 1} must have ${columns.length} values`)
  const empty = rows.findIndex((row) => row.every((cell) => cell === ""))
  if (empty >= 0) throw invalidAt(yaml, `${yaml.key}: row ${empty + 1} has no value: remove it`)
  return { columns, rows }
}

const phasesOf = (yaml: Yaml): ReadonlyArray<Phase> => {
  const readText = (path: string): string => {
    try {
      return textOfFile(resolve(dirname(yaml.file), path))
    } catch (error) {
      throw new ProfileInvalid(`${path} cannot be read: ${reasonOf(error)}`)
    }
  }
  try {
    return parsePhase(filledOf(yaml), readText)
  } catch (error) {
    if (error instanceof ProfileInvalid) throw invalidAt(yaml, `${yaml.key}: ${error.message}`)
    throw error
  }
}

type Messages = ReadonlyMap<string, TemplateSource>

const named =
  (messages: Messages) =>
  (yaml: Yaml): TemplateSource => {
    const name = filledOf(yaml)
    const found = messages.get(name)
    if (found !== undefined) return found
    throw invalidAt(yaml, `${yaml.key}: no message "${name}" is in the file; ${knownNames(name, [...messages.keys()])}`)
  }

/** What a mode does not have. */
const refuseKeys = (keys: MapReader, { connections, form, mode, signOn }: LoadLinkSettings): void => {
  const isShort = mode.mode === "sync-short" || mode.mode === "async-short"
  if (mode.mode === "sync-short" && mode.way.role === "listen")
    throw keys.wrong(
      "listen",
      "in sync-short who connects is who asks: a load there is the far side's. Give `connect`, or the mode of its other link"
    )
  if (mode.mode === "sync-short" && signOn !== undefined)
    throw keys.wrong("sign on", "a connection of mode sync-short is for one request: nothing signs on there")
  if (mode.mode === "async-simplex" && connections !== 1)
    throw keys.wrong(
      "connections",
      "a link of mode async-simplex is one pair of connections: name another link for another"
    )
  if (form.frame.kind === "until-close" && !isShort)
    throw keys.wrong(
      "frame",
      `with until-close a message ends with its connection, and in mode ${mode.mode} that stays: use a short mode`
    )
}

/** How many connections a link has when a file does not say. */
const usualConnections = ({ mode }: Mode): number => (mode === "async-short" ? 100 : 1)

const linkOf = (name: string, yaml: Yaml, messages: Messages): LoadLinkSettings => {
  const keys = new MapReader(yaml, name)
  const mode = modeKeys(keys, tlsKey(keys))
  const form = formKeys(keys, "cups")!
  const signOn = keys.get("sign on", named(messages))
  const isSignOnExpected = keys.get("expect sign on", yesNoOf) ?? false
  if (isSignOnExpected && signOn !== undefined)
    throw keys.wrong("expect sign on", "one side signs on: give this or `sign on`")
  if (isSignOnExpected && mode.mode === "sync-short")
    throw keys.wrong("expect sign on", "nobody signs on where each connection is for one request")
  const link: LoadLinkSettings = {
    ...{ name, mode, form, signOn, isSignOnExpected },
    connections: keys.get("connections", wholeOf(1, CONNECTIONS_MAX)) ?? usualConnections(mode),
    mac: macKey(keys, form),
    idleMs: keys.get("idle", durationOf) ?? 30_000,
    silenceMs: keys.get("silence", durationOf) ?? 90_000
  }
  refuseKeys(keys, link)
  keys.done()
  return link
}

/** Whether somebody else has to do something before a link is up. */
const isWaitedFor = ({ isSignOnExpected, mode }: LoadLinkSettings): boolean => isSignOnExpected || isListening(mode)

/** Milliseconds that all links together may take to come up, when we make their connections and when we wait for some. */
const UP_MS = 15_000
const WAITED_FOR_MS = 60_000

/** `90 purchase`, `10 inquiry on second`. */
const mixLine =
  (messages: Messages, links: ReadonlyArray<LoadLinkSettings>) =>
  (yaml: Yaml): MixLine => {
    const words = filledOf(yaml)
    const found = /^(\d{1,6}) (\S+)(?: on (\S+))?$/.exec(words)
    if (found === null || Number(found[1]) === 0)
      throw invalidAt(
        yaml,
        `${yaml.key}: a weight and a message are expected, "90 purchase" or "90 purchase on acquirer"`
      )
    const message = messages.get(found[2]!)
    const names = links.map(({ name }) => name)
    if (message === undefined)
      throw invalidAt(
        yaml,
        `${yaml.key}: no message "${found[2]}" is in the file; ${knownNames(found[2]!, [...messages.keys()])}`
      )
    const link = found[3] === undefined ? -1 : names.indexOf(found[3])
    if (found[3] !== undefined && link < 0)
      throw invalidAt(yaml, `${yaml.key}: no link "${found[3]}" is in the file; ${knownNames(found[3], names)}`)
    return { weight: Number(found[1]), message, link }
  }

/** Tries every message on every link that it may go to, so that nothing is found out under load. */
const tryAll = (
  top: MapReader,
  { links, mix, rows, seed }: Pick<LoadSettings, "links" | "mix" | "rows" | "seed">
): void => {
  try {
    for (const { link, message } of mix) {
      for (const [at, one] of links.entries()) {
        if (link < 0 || link === at) new Template(message, one.form, rows, seed, one.mac)
      }
    }
    for (const { form, mac, signOn } of links) if (signOn !== undefined) new Template(signOn, form, rows, seed, mac)
  } catch (error) {
    if (error instanceof TemplateInvalid) throw top.wrong("messages", error.message)
    throw error
  }
}

/** Reads a load file. */
export const readLoadFile = (file: string): Effect.Effect<LoadSettings, FileInvalid> =>
  readFile(file, (top) => {
    const messages = new Map(top.need("messages", namedOf("messages", messageOf)))
    const named = namedOf("links", (name, yaml) => linkOf(name, yaml, messages))
    const links = top.need("links", named).map(([, link]) => link)
    if (links.length === 0) throw top.wrong("links", "at least one link is expected")
    const settings: LoadSettings = {
      file,
      seed: top.get("seed", numberOf) ?? 1,
      links,
      mix: top.need("mix", anyOf(mixLine(messages, links))),
      rows: top.get("data", rowsOf) ?? { columns: [], rows: [[]] },
      phases: top.need("profile", anyOf(phasesOf)).flat(),
      timeoutMs: top.get("timeout", durationOf) ?? 5000,
      upMs: top.get("wait", durationOf) ?? (links.some(isWaitedFor) ? WAITED_FOR_MS : UP_MS),
      warmUpMs: top.get("warm up", durationOf) ?? 0,
      utcOffsetMs: (top.get("utc offset", minutesOf) ?? 480) * 60_000
    }
    if (settings.mix.length === 0) throw top.wrong("mix", "at least one message is expected")
    if (!settings.phases.some(({ from, to }) => from + to > 0)) throw top.wrong("profile", "no request is ever due")
    if (settings.warmUpMs >= profileLasts(settings.phases))
      throw top.wrong("warm up", "nothing is measured: the profile is over by then")
    if (settings.timeoutMs <= 0) throw top.wrong("timeout", "more than nothing is expected")
    tryAll(top, settings)
    return settings
  })
