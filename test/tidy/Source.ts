/**
 * The repository as the house rules see it: its files, their text, and for TypeScript the syntax tree.
 *
 * Reads only. Ignored files (.gitignore) are left out, so a build or a run in the checkout changes nothing here.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Comment, type Program, parseSync, visitorKeys } from "oxc-parser"

/** The root of the repository, with a separator at the end. */
export const root = fileURLToPath(new URL("../../", import.meta.url))

/** One node of the syntax tree, as far as every node is alike. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [part: string]: unknown
}

/** A text file. `path` is from the root, with `/`. */
export interface Text {
  readonly path: string
  readonly text: string
}

/** A TypeScript file with its tree and its comments in order. */
export interface Source extends Text {
  readonly program: Program
  readonly comments: ReadonlyArray<Comment>
}

/** One breach: where, which rule, and what to do instead. */
export interface Finding {
  readonly path: string
  readonly line: number
  readonly rule: string
  readonly message: string
}

/** Line of an offset, from 1. */
export const lineAt = (text: string, offset: number): number => {
  let line = 1
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++
  return line
}

export const finding = (file: Text, offset: number, rule: string, message: string): Finding => ({
  path: file.path,
  line: lineAt(file.text, offset),
  rule,
  message
})

/** `file:line  rule: message`, one a line, in the order of the files. */
export const listing = (findings: ReadonlyArray<Finding>): string =>
  [...findings]
    .sort((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1))
    .map(({ line, message, path, rule }) => `${path}:${line}  ${rule}: ${message}`)
    .join("\n")

/** Parses one TypeScript text; throws when it is not TypeScript. */
export const parse = (path: string, text: string): Source => {
  const { comments, errors, program } = parseSync(path, text)
  const error = errors[0]
  if (error !== undefined) throw new Error(`${path}: ${error.message}`)
  return { path, text, program, comments }
}

/** Whether `path` is one of the places or lies below one that ends in `/`. */
export const isWithin = (path: string, places: ReadonlyArray<string>): boolean =>
  places.some((place) => (place.endsWith("/") ? path.startsWith(place) : path === place))

/** What a walk passes: a node, its parent and the part of the parent that it is. */
type Stop = readonly [node: Node, parent: Node | undefined, part: string]

/** The stops of the trees that were walked: every rule walks the same ones. */
const stopsOfTop = new WeakMap<Node, ReadonlyArray<Stop>>()

const stopsOf = (top: Node): ReadonlyArray<Stop> => {
  const stops: Array<Stop> = []
  const step = (node: Node, parent: Node | undefined, part: string): void => {
    stops.push([node, parent, part])
    for (const key of visitorKeys[node.type] ?? []) {
      const child = node[key]
      if (Array.isArray(child)) for (const one of child) isNode(one) && step(one, node, key)
      else if (isNode(child)) step(child, node, key)
    }
  }
  step(top, undefined, "")
  return stops
}

/** Visits every node from the outside in, with its parent and the part of the parent that it is. */
export const walk = (top: Node, visit: (node: Node, parent: Node | undefined, part: string) => void): void => {
  const stops = stopsOfTop.get(top) ?? stopsOf(top)
  stopsOfTop.set(top, stops)
  for (const [node, parent, part] of stops) visit(node, parent, part)
}

/** Whether a part of a node is itself a node. */
export const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value

/** The whole file's tree as a plain node. */
export const treeOf = (source: Source): Node => source.program as unknown as Node

const ignored = (): ((name: string) => boolean) => {
  const rules = readFileSync(join(root, ".gitignore"), "utf8").split("\n").filter(Boolean)
  const names = new Set([".git", ...rules.map((rule) => rule.replace(/^\/|\/$/g, ""))])
  const endings = rules.filter((rule) => rule.startsWith("*.")).map((rule) => rule.slice(1))
  return (name) => names.has(name) || endings.some((ending) => name.endsWith(ending))
}

/** Every text file of the checkout that git does not ignore. */
export const readRepository = (): ReadonlyArray<Text> => {
  const isIgnored = ignored()
  const files: Array<Text> = []
  const read = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (isIgnored(entry.name)) continue
      if (entry.isDirectory()) read(`${folder}${entry.name}/`)
      if (!entry.isFile()) continue
      const text = readFileSync(join(root, folder, entry.name), "utf8")
      // Of a picture only the name counts.
      files.push({ path: folder + entry.name, text: text.includes("\0") ? "" : text })
    }
  }
  read("")
  return files
}
