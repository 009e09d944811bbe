// What a package brings along, before it is packed: `sbom.cdx.json`, a bill of materials (CycloneDX 1.6), and
// `npm-shrinkwrap.json`, which makes `npm install` take the versions and hashes that were tested (pnpm-lock.yaml).
//   node tools/bill.mjs packages/switch      npm and pnpm run it themselves before they pack (prepack)
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parse } from "yaml"

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = resolve(root, process.argv[2] ?? process.cwd())
const lock = parse(readFileSync(join(root, "pnpm-lock.yaml"), "utf8"))
const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))

/** `name@version` without what pnpm writes behind it for peers. */
const plain = (key) => key.replace(/\(.*$/, "")

/** Everything that `key` needs at run time, itself first. Our own packages are published beside each other and left out. */
const found = new Map()
const follow = (name, version) => {
  if (version.startsWith("link:")) return
  const key = `${name}@${version}`
  if (found.has(key)) return
  const { dependencies = {}, optionalDependencies = {} } = lock.snapshots[key]
  const at = plain(key)
  found.set(key, { name, version: plain(version), integrity: lock.packages[at].resolution.integrity, dependencies })
  for (const [needed, its] of Object.entries({ ...dependencies, ...optionalDependencies })) follow(needed, its)
}
const importer = lock.importers[folder.slice(root.length)]
for (const [name, { version }] of Object.entries(importer.dependencies ?? {})) follow(name, version)
// A workspace package brings its own along: what it needs is installed with it.
const parts = [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1))

const twice = parts.filter(({ name }, at) => parts[at + 1]?.name === name)
if (twice.length > 0)
  throw new Error(`two versions of ${twice.map(({ name }) => name).join(", ")}: a flat shrinkwrap cannot hold both`)

/** The package.json of a part, as pnpm has it. */
const manifestOf = ({ name, version }) => {
  const store = join(
    root,
    "node_modules",
    ".pnpm",
    `${name.replace("/", "+")}@${version}`,
    "node_modules",
    name,
    "package.json"
  )
  return existsSync(store)
    ? JSON.parse(readFileSync(store, "utf8"))
    : createRequire(join(folder, "package.json"))(`${name}/package.json`)
}

const shrinkwrap = {
  name: manifest.name,
  version: manifest.version,
  lockfileVersion: 3,
  requires: true,
  packages: {
    "": { name: manifest.name, version: manifest.version, license: manifest.license },
    ...Object.fromEntries(
      parts.map((part) => {
        const { bin, dependencies, engines, license, scripts } = manifestOf(part)
        const hasInstallScript = ["preinstall", "install", "postinstall"].some((name) => scripts?.[name] !== undefined)
        return [
          `node_modules/${part.name}`,
          {
            version: part.version,
            integrity: part.integrity,
            ...(hasInstallScript ? { hasInstallScript } : {}),
            ...{ license, dependencies, bin, engines }
          }
        ]
      })
    )
  }
}

const purl = (name, version) => `pkg:npm/${name.replace("@", "%40")}@${version}`
const sbom = {
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  version: 1,
  metadata: {
    component: {
      type: "library",
      "bom-ref": purl(manifest.name, manifest.version),
      name: manifest.name,
      version: manifest.version,
      licenses: [{ license: { id: manifest.license } }],
      purl: purl(manifest.name, manifest.version)
    }
  },
  components: parts.map((part) => ({
    type: "library",
    "bom-ref": purl(part.name, part.version),
    name: part.name,
    version: part.version,
    hashes: [{ alg: "SHA-512", content: Buffer.from(part.integrity.replace("sha512-", ""), "base64").toString("hex") }],
    licenses: [{ expression: manifestOf(part).license }],
    purl: purl(part.name, part.version)
  })),
  dependencies: parts.map((part) => ({
    ref: purl(part.name, part.version),
    dependsOn: Object.entries(part.dependencies).map(([name, version]) => purl(name, plain(version)))
  }))
}

writeFileSync(join(folder, "npm-shrinkwrap.json"), `${JSON.stringify(shrinkwrap, null, 2)}\n`)
writeFileSync(join(folder, "sbom.cdx.json"), `${JSON.stringify(sbom, null, 2)}\n`)
