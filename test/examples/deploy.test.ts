/**
 * What a fleet is started by: the files for systemd, keepalived and Kubernetes, read by their own programs where this machine has
 * them; and everywhere every name in them is one that Jinka, or the file itself, has.
 */
import { execFile, execFileSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterEach, describe, expect, it } from "vitest"
import { parseAllDocuments } from "yaml"
import { Authority } from "../../examples/08-many-institutions/Authority.ts"
import { cleanUp, folder, jinka, key } from "../switch/operate/program.ts"

afterEach(cleanUp)

const run = promisify(execFile)
const root = fileURLToPath(new URL("../../", import.meta.url))
const textOf = (path: string): string => readFileSync(join(root, path), "utf8")
const has = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((place) => existsSync(join(place, program)))
/** The routes that the listener of operators answers to whoever asks. */
const probes = [...textOf("packages/switch/src/operate/admin/Admin.ts").matchAll(/"GET",\s+"(\/\w+)"/g)].map(
  ([, path]) => path
)

describe("The lines for systemd", () => {
  const lines = textOf("examples/fleet/deploy/jinka@.service.d/fleet.conf")

  it.skipIf(!has("systemd-analyze"))(
    "are understood by systemd, behind the unit that ships with the switch",
    async () => {
      const home = folder()
      const unit = textOf("packages/switch/service/jinka@.service")
      const path = join(home, "jinka@east.service")
      writeFileSync(path, unit.replace(/\/usr\/lib\/node_modules\S+\/jinka-start|\/usr\/bin\/jinka/g, "/bin/true"))
      mkdirSync(`${path}.d`)
      writeFileSync(join(`${path}.d`, "fleet.conf"), lines)
      const { stderr } = await run("systemd-analyze", ["verify", path])
      expect(stderr).toBe("")

      writeFileSync(join(`${path}.d`, "fleet.conf"), lines.replace("RestartSec", "RestartSeconds"))
      const wrong = await run("systemd-analyze", ["verify", path])
      expect(wrong.stderr).toContain("RestartSeconds")
    }
  )

  it("start a node again whatever it ended with, and however often", () => {
    expect(lines).toContain("\nRestart=always\n")
    expect(lines).toContain("\nStartLimitIntervalSec=0\n")
  })
})

describe("The file for keepalived", () => {
  const text = textOf("examples/fleet/deploy/keepalived.conf")

  /** What it says of the file: nothing, when it is good. Its exit code says as little: version 2.2 ends by its own signal. */
  const said = async (file: string): Promise<string> => {
    const path = join(folder(), "keepalived.conf")
    writeFileSync(path, file)
    return run("setsid", ["keepalived", "--config-test", `--use-file=${path}`]).then(
      ({ stderr, stdout }) => stdout + stderr,
      ({ stderr, stdout }) => stdout + stderr
    )
  }

  it.skipIf(!has("keepalived") || !has("setsid"))("is understood by keepalived", async () => {
    expect(await said(text.replace("virtual_router_id", "virtual_rooter_id"))).toContain("virtual_rooter_id")
    expect(await said(text)).toBe("")
  })

  it("lets the address follow the owner, asked of this machine, and resets what is left behind", () => {
    const [, path] = /http:\/\/127\.0\.0\.1:9411(\/\w+)"/.exec(text) ?? []

    expect(path).toBe("/owner")
    expect(probes).toContain(path)
    expect(text).toMatch(/track_script \{\s+east_is_here\s+\}/)
    expect(text).toContain("vrrp_script east_is_here {")

    const [, address] = /virtual_ipaddress \{\s+([\d.]+)\//.exec(text) ?? []

    expect(text.match(/ss -K src [\d.]+/g)).toEqual([`ss -K src ${address}`, `ss -K src ${address}`])
  })
})

describe("The file for Kubernetes", () => {
  // biome-ignore lint/suspicious/noExplicitAny: a document of Kubernetes, read as it is written
  const documents: ReadonlyArray<any> = parseAllDocuments(textOf("examples/fleet/deploy/kubernetes.yaml")).map(
    (one) => {
      expect(one.errors).toEqual([])
      return one.toJS()
    }
  )
  // biome-ignore lint/suspicious/noExplicitAny: see above
  const of = (kind: string): ReadonlyArray<any> => documents.filter((one) => one.kind === kind)
  const [set] = of("StatefulSet")
  const { spec } = set.spec.template
  const [pod] = spec.containers
  const [init] = spec.initContainers
  const written: string = of("ConfigMap")[0].data["east.yaml"]

  it("has two pods of which the Service finds the owner, and both by name", () => {
    const [outside, nodes] = of("Service")
    const labels = set.spec.template.metadata.labels
    for (const selector of [outside.spec.selector, nodes.spec.selector, set.spec.selector.matchLabels]) {
      expect(labels).toMatchObject(selector)
    }

    expect(of("PodDisruptionBudget")[0].spec.selector.matchLabels).toEqual(labels)
    expect(set.spec).toMatchObject({ replicas: 2, serviceName: nodes.metadata.name, podManagementPolicy: "Parallel" })
    expect(nodes.spec).toMatchObject({ clusterIP: "None", publishNotReadyAddresses: true })

    const ports = pod.ports.map(({ name }: { name: string }) => name)
    const probed = [pod.livenessProbe, pod.readinessProbe].map(({ httpGet }) => httpGet.port)
    const targets = [outside, nodes].flatMap(({ spec }) =>
      spec.ports.map((port: { targetPort: string }) => port.targetPort)
    )

    for (const port of [...probed, ...targets]) expect(ports).toContain(port)

    expect(pod.livenessProbe.httpGet).toMatchObject({ path: "/live", scheme: "HTTPS" })
    expect(pod.readinessProbe.httpGet).toMatchObject({ path: "/owner", scheme: "HTTPS" })
    expect(probes).toEqual(expect.arrayContaining(["/live", "/owner"]))
  })

  it("mounts what its containers name, and every volume is there", () => {
    const volumes = [
      ...spec.volumes,
      ...set.spec.volumeClaimTemplates.map(({ metadata }: { metadata: object }) => metadata)
    ]
    const names = volumes.map(({ name }: { name: string }) => name)
    for (const { volumeMounts } of [pod, init]) {
      for (const { name } of volumeMounts) expect(names).toContain(name)
    }
    const at = (path: string) =>
      pod.volumeMounts.some(({ mountPath }: { mountPath: string }) => path.startsWith(`${mountPath}/`))

    for (const [path] of written.matchAll(/\/(?:etc|var)\/[\w./-]+/g)) expect([path, at(path)]).toEqual([path, true])

    expect(at(pod.args[1])).toBe(true)
    expect(spec.volumes.find(({ name }: { name: string }) => name === "template").configMap.name).toBe("jinka-east")
  })

  it("is long enough in ending: the switch drains, and hands over", () => {
    const seconds = (name: string) => Number(new RegExp(`${name}: (\\d+) seconds`).exec(written)![1])
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(seconds("drainTimeout") + seconds("yieldAfter"))
  })

  it("gives each pod a configuration that Jinka takes, with the pod's name as its node's", async () => {
    const home = folder()
    const at = (path: string) => path.replaceAll("/etc/jinka-admin", home).replaceAll("/var/lib/jinka", home)
    mkdirSync(join(home, "template"))
    writeFileSync(join(home, "template", "east.yaml"), at(written))
    const [shell, flag, script] = init.command
    const here = script.replace("/template/", `${home}/template/`).replace("/etc/jinka/", `${home}/`)
    execFileSync(shell, [flag, here], { env: { ...process.env, [init.env[0].name]: "jinka-east-0" } })
    const issued = await (await Authority.make(home, "ca")).issue("jinka-east")
    writeFileSync(join(home, "tls.crt"), readFileSync(issued.certificate))
    writeFileSync(join(home, "tls.key"), readFileSync(issued.key), { mode: 0o440 })
    chmodSync(join(home, "tls.key"), 0o440)
    const file = join(home, "east.yaml")
    expect(readFileSync(file, "utf8")).toContain("    node: jinka-east-0\n")

    const given = pod.env.map(({ name }: { name: string }) => name)
    const values: Record<string, string> = { JINKA_PG: "postgres://jinka@db/postgres", JINKA_JOURNAL_KEY: key }
    expect(Object.keys(values)).toEqual(given)
    const checked = await jinka(["check", file], { env: values })
    expect([checked.code, checked.err]).toEqual([0, ""])

    const { out } = await jinka([pod.args[0], "--help"])
    const flags = pod.args.filter((arg: string) => arg.startsWith("--"))
    for (const arg of flags) expect(out).toContain(arg)
    // The image begins with `jinka` itself.
    expect(textOf("packages/switch/service/Containerfile")).toContain('ENTRYPOINT ["jinka"]')
  })
})
