/** What a module of the product loads with it: for tests of what has to begin quickly. */
import { readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** Every module that a file loads with it, from anywhere; types and `import()` are not loaded. */
export const loadedBy = (file: string, seen = new Set<string>()): ReadonlySet<string> => {
  const text = readFileSync(join(root, file), "utf8")
  for (const [, name = ""] of text.matchAll(/^(?:import|export) (?!type\b)[^"']*?from "([^"]+)"/gm)) {
    const module = name.startsWith(".") ? relative(root, resolve(root, dirname(file), name)) : name
    if (seen.has(module)) continue
    seen.add(module)
    if (name.startsWith(".")) loadedBy(module, seen)
  }
  return seen
}
