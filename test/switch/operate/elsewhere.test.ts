/** Addresses that a configuration takes from the environment or from files. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { cleanUp, folder, jinka, key } from "./program.ts"

afterEach(cleanUp)

const yaml = (port: string, host = "127.0.0.1") => `name: demo
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_TEST_KEY } }
admin: { listen: { port: { env: ADMIN_PORT, default: 9870 } } }
links:
  - { name: acquirer, institution: "48020000", dialect: cups, listen: { host: 127.0.0.1, port: ${port} } }
  - { name: issuer, institution: "01020000", dialect: cups, connect: { host: ${host}, port: 7002 } }
routes:
  - { bin: "621234", to: issuer }
`

const check = async (text: string, env: Readonly<Record<string, string>> = {}) => {
  const directory = folder()
  const file = join(directory, "switch.yaml")
  writeFileSync(file, text)
  writeFileSync(join(directory, "issuer.txt"), "issuer.example\n")
  const { code, err, out } = await jinka(["check", file], { env: { JINKA_TEST_KEY: key, ...env } })
  return { code, said: (out + err).replaceAll(directory, "") }
}

describe("A value of the configuration", () => {
  it("is taken from the environment, or from a file beside the configuration, and checked like one that is written", async () => {
    const { code, said } = await check(yaml("{ env: ACQUIRER_PORT }", "{ file: issuer.txt }"), {
      ACQUIRER_PORT: "7001"
    })

    expect(code).toBe(0)
    expect(said).toContain("127.0.0.1:7001")
    expect(said).toContain("issuer.example:7002")
  })

  it.each([
    [
      yaml("{ env: ACQUIRER_PORT }"),
      {},
      "links[0].listen.port.env: the environment variable ACQUIRER_PORT holds the value; found no such variable. Set it"
    ],
    [
      yaml("{ env: ACQUIRER_PORT }"),
      { ACQUIRER_PORT: "x7001" },
      "links[0].listen.port.env: what the environment variable ACQUIRER_PORT holds is a number; found another text."
    ],
    [
      yaml("{ env: ACQUIRER_PORT }"),
      { ACQUIRER_PORT: "70010" },
      "links[0].listen.port: expected a whole number from 0 to 65535; found what the environment variable ACQUIRER_PORT holds."
    ],
    [
      yaml("7001", "{ file: none.txt }"),
      {},
      "links[1].connect.host.file: the file holds the value; found no such file, or not readable."
    ],
    [yaml("7001", "{ env: A, file: b }"), {}, "links[1].connect.host.env: a value from elsewhere has `env` or `file`"],
    [yaml("7001", "{ env: A, defult: b }"), {}, "links[1].connect.host.defult: a value from elsewhere has"]
  ])("is refused with its place and where it came from (%#)", async (text, env, words) => {
    const { code, said } = await check(text, env)

    expect(code).toBe(2)
    expect(said).toContain(words)
    expect(said.trim().split("\n")).toHaveLength(1)
  })

  it("is known to editors in both forms", () => {
    const schema = readFileSync(new URL("../../../docs/reference/configuration.schema.json", import.meta.url), "utf8")
    const { port } = JSON.parse(schema).properties.admin.properties.listen.properties

    expect(
      port.anyOf.map(({ required = [], type }: { required?: ReadonlyArray<string>; type: string }) => [
        type,
        ...required
      ])
    ).toEqual([["integer"], ["object", "env"], ["object", "file"]])
  })
})
