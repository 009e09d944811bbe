/**
 * What a user of npm gets: the three packages built, packed, installed into an empty project and used from there. The
 * Containerfile's step installs them, and brings the simulator and the types of Node too: once is enough for all.
 *
 * Needs the npm registry, or an npm cache that holds the dependencies. Covers import, types, the two commands, traffic between
 * them, what the tarballs hold and say of themselves, and the steps of the Containerfile.
 */
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { createRequire } from "node:module"
import { basename, delimiter, dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { until } from "../switch/operate/Line.ts"
import { testFolder } from "../TestFolder.ts"
import { root } from "../tidy/Source.ts"
import { canMount, Image, installStep } from "./Image.ts"

const folders = ["codec", "switch", "simulator"] as const
const workspace = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** An empty project somewhere else; a real path, because npm compares paths. */
const project = realpathSync(mkdtempSync(join(testFolder(), "jinka-package-")))
const tarballs = join(project, "tarballs")

/**
 * The project's own Node in front, as on a machine that has it. It runs npm too, and must trust what the machine trusts: behind
 * a proxy with its own certificate authority npm would otherwise try for minutes and give up.
 */
const env = {
  ...process.env,
  PATH: dirname(process.execPath) + delimiter + process.env["PATH"],
  NODE_USE_SYSTEM_CA: "1",
  NO_COLOR: "1",
  npm_config_prefer_offline: "true",
  npm_config_fetch_retries: "1",
  // Code of this folder, which goes with it: the others' cache would keep what nobody starts again.
  NODE_COMPILE_CACHE: join(project, ".compile"),
  // The compiler has memory enough for its few seconds: collecting none takes a quarter off.
  GOGC: "off"
}

/** When a program of this test is given up, in milliseconds: ten times what a quiet machine takes. */
const TIMEOUT = 300_000

/** Runs a program to its end and gives what it printed; throws with all of its output when it fails. */
const run = (program: string, args: ReadonlyArray<string>, cwd: string, more: NodeJS.ProcessEnv = {}): string => {
  try {
    return execFileSync(program, args, {
      cwd,
      env: { ...env, ...more },
      timeout: TIMEOUT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"]
    })
  } catch (error) {
    const { stderr, stdout } = error as { readonly stderr: string; readonly stdout: string }
    throw new Error(`${[program, ...args].join(" ")} failed in ${cwd}:\n${stdout}\n${stderr}`)
  }
}

/** Every file below a folder, from that folder. */
const filesBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))

const packed = (folder: string): string => join(tarballs, `jinka-${folder}-${versionOf(folder)}.tgz`)
/** The files of a tarball. */
const listed = (folder: string): ReadonlyArray<string> =>
  run("tar", ["-tzf", packed(folder)], project)
    .trim()
    .split("\n")
const manifestOf = (folder: string) => JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8"))
const versionOf = (folder: string): string => manifestOf(folder).version
const installed = (...parts: ReadonlyArray<string>): string => join(project, "node_modules", "@jinka", ...parts)
const linked = (command: string): string => join(project, "node_modules", ".bin", command)
const typescript = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc")

beforeAll(() => {
  for (const folder of folders) rmSync(join(root, "packages", folder, "dist"), { recursive: true, force: true })
  // The commands of the page, in their order; npx asks for nothing, and the tarballs come here.
  const [, block] = /## Tarballs\n[\s\S]*?```sh\n([\s\S]*?)```/.exec(
    readFileSync(join(root, "docs/operate/service.md"), "utf8")
  )!
  const commands = block!.replace("npx ", "npx -y ").replace('"$PWD/tarballs"', `"${tarballs}"`).trim()
  expect(commands).toContain(`npx -y ${workspace.packageManager} --recursive pack`)
  for (const command of commands.split("\n")) run("sh", ["-c", command], root)
  // As whoever builds the image: the user that runs it reads what is installed.
  chmodSync(project, 0o755)
  for (const folder of folders) copyFileSync(packed(folder), join(project, basename(packed(folder))))
  const others = `./jinka-simulator-*.tgz @types/node@${workspace.devDependencies["@types/node"]}`
  const step = installStep.replace("./jinka-switch-*.tgz", `$& ${others}`)
  expect(step).toContain(`./jinka-codec-*.tgz ./jinka-switch-*.tgz ${others} `)
  run("sh", ["-c", step], project)
  const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8"))
  writeFileSync(join(project, "package.json"), JSON.stringify({ ...manifest, private: true, type: "module" }))
  for (const folder of folders) rmSync(installed(folder, "src"), { recursive: true })
}, 2 * TIMEOUT)

afterAll(() => rmSync(project, { recursive: true, force: true }))

/** Names that each package exports at run time, asked from a plain Node in the consumer's project. */
let exported: Readonly<Record<string, ReadonlyArray<string>>> | undefined
const exportsOf = (folder: string): ReadonlyArray<string> => {
  const names = folders.map((name) => `${name}: Object.keys(await import("@jinka/${name}"))`)
  const script = `console.log(JSON.stringify({ ${names.join(", ")} }))`
  exported ??= JSON.parse(run(process.execPath, ["--input-type=module", "-e", script], project)) as typeof exported
  return exported![folder]!
}

describe("The packages, installed from their tarballs without their sources", () => {
  it.each(folders)("@jinka/%s is imported by a plain Node program", (folder) => {
    expect(exportsOf(folder)).not.toEqual([])
  })

  it("each gives a type to everything that it exports", () => {
    const files = folders.map((folder) => {
      const file = join(project, `${folder}.ts`)
      writeFileSync(
        file,
        [
          `import * as Package from "@jinka/${folder}"`,
          "type IsAny<T> = 0 extends 1 & T ? true : false",
          "// @ts-expect-error what is not exported is not known",
          "export const unknownName = Package.thisIsNotExported",
          ...exportsOf(folder).map((name) => `export const of_${name}: IsAny<typeof Package.${name}> = false`)
        ].join("\n")
      )
      return file
    })
    const strict = [
      "--checkers",
      "1",
      "--strict",
      "--noEmit",
      "--skipLibCheck",
      "--target",
      "ES2024",
      "--module",
      "NodeNext"
    ]

    // One compiler for all: it reads the same declarations of others once. Throws with what the compiler says.
    expect(run(process.execPath, [typescript, ...strict, "--types", "node", ...files], project)).toBe("")
  })

  it("npx finds the command jinka-sim, which says its version; npm has put jinka beside it", () => {
    expect(run("npx", ["--no-install", "jinka-sim", "--version"], project)).toContain(versionOf("simulator"))
    expect(existsSync(linked("jinka"))).toBe(true)
  })

  it("run traffic: the folder of jinka-sim init passes by one command, with those that npm has put beside it, and leaves its reports", () => {
    const ports = ["--acquirer-port", "7965", "--issuer-port", "7966"]
    run(linked("jinka-sim"), ["init", "links", ...ports], project)

    expect(run("sh", ["links/run.sh"], project)).toContain("10 dialogues: 10 kept, 0 broken, 0 skipped")
    expect(readFileSync(join(project, "links/.run/report.xml"), "utf8")).toContain('failures="0"')
    for (const file of ["report.html", "issuer-ledger.jsonl"])
      expect(existsSync(join(project, "links/.run", file))).toBe(true)
  })

  it("the configuration that the switch's README begins with is good", () => {
    const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(readFileSync(installed("switch", "README.md"), "utf8"))!
    writeFileSync(join(project, "switch.yaml"), yaml!)
    const key = { JINKA_JOURNAL_KEY: randomBytes(32).toString("hex") }

    expect(run(linked("jinka"), ["check", "switch.yaml"], project, key)).toContain("first-link: good")
  })

  it("the switch's files for systemd and containers are beside it", () => {
    expect(readdirSync(installed("switch", "service")).sort()).toEqual([
      "Containerfile",
      "jinka-start",
      "jinka.logrotate",
      "jinka@.service"
    ])
  })
})

describe("The tarballs", () => {
  it("bring no library that nobody calls (docs/decisions/0018-few-packages.md)", () => {
    const below = ["", "@jinka/switch/node_modules", "@jinka/simulator/node_modules"]
    const places = below.map((path) => join(project, "node_modules", path)).filter((path) => existsSync(path))
    const there = places.flatMap((path) => readdirSync(path))

    expect(there.filter((name) => ["redis", "@redis", "undici", "ws"].includes(name))).toEqual([])
  })

  it.each(folders)("@jinka/%s holds what is needed and the licence, and nothing else", (folder) => {
    const files = listed(folder)

    expect(files).toContain("package/LICENSE")
    expect(
      files.filter(
        (file) =>
          !/^package\/(dist\/|src\/|console\/|service\/|(package|npm-shrinkwrap|sbom\.cdx)\.json$|LICENSE$|README\.md$)/.test(
            file
          )
      )
    ).toEqual([])
    expect(files.filter((file) => /tsbuildinfo|\.test\./.test(file))).toEqual([])
  })

  it.each(folders)("@jinka/%s holds a module to read, to run and with its types, and no maps of these", (folder) => {
    const files = listed(folder)
    const modules = files.flatMap((file) => /^package\/src\/(.*)\.ts$/.exec(file)?.[1] ?? [])
    const built = modules.flatMap((name) => [`package/dist/${name}.d.ts`, `package/dist/${name}.js`])

    expect(modules.length).toBeGreaterThan(50)
    expect(files.filter((file) => file.startsWith("package/dist/")).sort()).toEqual(built.sort())
  })

  it.each(folders)(
    "@jinka/%s brings a bill of materials, and is installed exactly as that and its shrinkwrap say",
    (folder) => {
      const bill = JSON.parse(readFileSync(installed(folder, "sbom.cdx.json"), "utf8"))
      const { packages } = JSON.parse(readFileSync(installed(folder, "npm-shrinkwrap.json"), "utf8"))
      const components: ReadonlyArray<{ readonly name: string; readonly version: string }> = bill.components
      const versions = components.map(({ name, version }) => [name, version])
      const from = createRequire(installed(folder, "package.json"))
      const there = (name: string): string => {
        const paths = from.resolve.paths(name)!.map((path) => join(path, name, "package.json"))
        return JSON.parse(readFileSync(paths.find((path) => existsSync(path))!, "utf8")).version
      }

      expect(bill).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6" })
      expect(versions.length).toBeGreaterThan(3)
      expect(versions.map(([name]) => [name, there(name!)])).toEqual(versions)
      expect(versions.map(([name]) => [name, packages[`node_modules/${name}`].version])).toEqual(versions)
    }
  )

  it.each(folders)(
    "@jinka/%s says what it is, under which licence, for which Node, and is published with its provenance",
    (folder) => {
      const manifest = JSON.parse(readFileSync(installed(folder, "package.json"), "utf8"))
      const readme = readFileSync(installed(folder, "README.md"), "utf8")

      expect(manifest).toMatchObject({ name: `@jinka/${folder}`, license: "Apache-2.0", engines: { node: ">=22.19" } })
      expect(manifest.description.length).toBeGreaterThan(60)
      expect(manifest.keywords).toContain("iso8583")
      expect(manifestOf(folder).publishConfig).toMatchObject({ access: "public", provenance: true })
      expect(manifest.scripts?.install ?? manifest.scripts?.postinstall).toBeUndefined()
      expect(readme).toMatch(new RegExp(`^# @jinka/${folder}\\n`))
      // A reader of the registry has no repository beside it.
      expect(readme).not.toMatch(/\]\((?!https:)/)
    }
  )

  it.each(folders)("@jinka/%s names exact versions and its built entry", (folder) => {
    const manifest = JSON.parse(readFileSync(installed(folder, "package.json"), "utf8"))
    const versions = Object.entries<string>(manifest.dependencies)

    expect(manifest.exports["."].default).toBe("./dist/index.js")
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })

  it.each(folders)("@jinka/%s tells nothing of the machine it was built on", (folder) => {
    const texts = filesBelow(installed(folder)).map((file) => readFileSync(installed(folder, file), "utf8"))

    expect(texts.filter((text) => text.includes(root))).toEqual([])
  })

  it.each(folders)("@jinka/%s starts its workers from built files", (folder) => {
    const scripts = filesBelow(installed(folder, "dist")).filter((file) => file.endsWith(".js"))
    const astray = scripts.filter((file) =>
      /new URL\(\s*["'`][^"'`]*\.ts["'`]/.test(readFileSync(installed(folder, "dist", file), "utf8"))
    )

    // tsc rewrites imports and not addresses: take the ending from import.meta.url.
    expect(astray).toEqual([])
  })
})

describe("The Containerfile", () => {
  const yaml = `name: demo
institution: "00010000"
journal: { directory: DATA, key: { env: JINKA_JOURNAL_KEY }, reserve: 1 MiB }
control: { directory: RUN }
links:
  - { name: issuer, institution: "01020000", dialect: cups, listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] } }
routes:
  - { bin: "621999", to: issuer }
`

  it.skipIf(!canMount())(
    "installs a switch that runs as nobody special on a read-only root, is asked how it is, and drains on SIGTERM",
    async () => {
      const image = new Image(project)
      image.configure(yaml.replace("DATA", join(image.path, "data")).replace("RUN", join(image.path, "run")))
      const running = image.run(randomBytes(32).toString("hex"))
      const said = { out: "", err: "" }
      running.stdout!.on("data", (chunk) => (said.out += chunk))
      running.stderr!.on("data", (chunk) => (said.err += chunk))
      const ended = new Promise<number | null>((resolve) => running.once("close", resolve))
      await until(() => said.out.includes('"event":"ready"') || running.exitCode !== null, "it is ready")
      expect(said.err.split("\n").filter((line) => line !== "" && !line.startsWith("{"))).toEqual([])

      const owner = statSync(join(image.path, "data/journal.db")).uid
      const status = readFileSync(`/proc/${running.pid}/status`, "utf8")
      const health = image.health()
      running.kill("SIGTERM")

      expect(await ended).toBe(0)
      expect(health).toContain("alive, not ready")
      expect(owner).toBe(10001)
      expect(status).toMatch(/^Uid:\t10001\t10001\t10001/m)
      expect(status).toMatch(/^CapEff:\t0+$/m)
      expect(said.out).toContain('"event":"stopped"')
      rmSync(image.path, { recursive: true })
    },
    2 * TIMEOUT
  )
})

describe("The build", () => {
  it("leaves nothing beside the sources", () => {
    const left = folders.flatMap((folder) => filesBelow(join(root, "packages", folder, "src")))

    expect(left.filter((file) => /\.(js|map|tsbuildinfo)$|\.d\.ts$/.test(file))).toEqual([])
  })

  it("writes to a folder that git ignores", () => {
    expect(readFileSync(join(root, ".gitignore"), "utf8").split("\n")).toContain("dist/")
  })
})
