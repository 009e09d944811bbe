import { iso8583v1993Ascii, macAlgorithms, unionPayPos } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { configurationOf, saidOf, sound } from "./checked.ts"

/** The sound configuration with a security module, lines added to its first link, and `dialect` for it. */
const withLines = (lines: ReadonlyArray<string>, dialect = "cups"): string =>
  `${sound}security: { software: { storageKey: { env: JINKA_STORAGE_KEY } } }\n`.replace(
    "    dialect: cups\n",
    `    dialect: ${dialect}\n${lines.map((line) => `    ${line}\n`).join("")}`
  )

const guardOf = async (lines: ReadonlyArray<string>, dialect?: string) =>
  (await configurationOf(withLines(lines, dialect))).settings.links[0]?.guard

const errorsOf = async (lines: ReadonlyArray<string>, dialect?: string): Promise<ReadonlyArray<string>> =>
  (await saidOf(withLines(lines, dialect))).filter((line) => line.includes(" error "))

describe("The MACs of a link", () => {
  it("are none unless the file says so", async () => {
    expect(await guardOf([])).toBeUndefined()
  })

  it("are as its dialect says, where the file does not", async () => {
    expect(await guardOf(["mac: { algorithm: ansi-x9.19 }"])).toMatchObject({
      mac: { receive: "required", send: "always", field: 128, text: "cups", form: "hex", bytes: 4 },
      pin: undefined,
      failures: { after: 3, act: "alarm" }
    })

    const pos = await guardOf(["mac: { algorithm: unionpay-pos }"], "unionPayPos")
    expect(pos?.mac).toMatchObject({ ...unionPayPos.security?.mac, algorithm: macAlgorithms["unionpay-pos"] })

    const plain = await guardOf(["mac: { algorithm: aes-cmac, receive: ifPresent }"], "iso8583v1993Ascii")
    expect(plain?.mac).toMatchObject({ ...iso8583v1993Ascii.security?.mac, receive: "ifPresent" })
  })

  it("are as the file says, over the dialect", async () => {
    const mac =
      'mac: { algorithm: tdes-cbc, padding: 2, field: 64, text: fields, fields: [0, 2, 4, 11], messages: ["1100"], bytes: 4, hexText: true, send: none }'
    expect((await guardOf([mac], "iso8583v1993Ascii"))?.mac).toMatchObject({
      algorithm: { method: "cbc", cipher: "tdes", padding: 2 },
      field: 64,
      text: "fields",
      fields: [0, 2, 4, 11],
      messages: [1100],
      bytes: 4,
      isHexText: true,
      send: "none"
    })
  })

  it("are refused where they do not fit the dialect, with what to write", async () => {
    expect(await errorsOf(["mac: { algorithm: ansi-x9.19, bytes: 8 }"])).toEqual([
      "switch.yaml:8:42 error links[0].mac.bytes: 8 bytes of MAC, as hex, fit DE 128, which is an8. Write fewer `bytes`."
    ])
    expect(await errorsOf(["mac: { algorithm: ansi-x9.19, form: binary }"])).toEqual([
      "switch.yaml:8:10 error links[0].mac: a MAC in bytes is in a field of bytes; DE 128 is an8. Write `form: hex`."
    ])
    expect(await errorsOf(["mac: { algorithm: ansi-x9.19, text: cups, fields: [0, 2, 3] }"], "unionPayPos")).toEqual([
      "switch.yaml:8:41 error links[0].mac.text: the text `cups` is made of characters; the dialect unionPayPos has DE 2 in another form. Write `text: message`, as such partners do."
    ])
    expect(await errorsOf(["mac: { algorithm: ansi-x9.19, field: 100 }"], "unionPayPos")).toEqual([
      "switch.yaml:8:42 error links[0].mac.field: the dialect unionPayPos defines the data element of the MAC (100). Name one that it has, or give the dialect the field."
    ])
    expect(await errorsOf(["mac: { algorithm: ansi-x9.19, text: fields }"], "iso8583v1993Ascii")).toEqual([
      "switch.yaml:8:41 error links[0].mac.text: the text `fields` needs the data elements that it covers. Add `fields`."
    ])
  })

  it("are refused where their parts do not go together", async () => {
    expect(await errorsOf(["mac: { algorithm: aes-cmac, padding: 2 }"])).toEqual([
      "switch.yaml:8:42 error links[0].mac.padding: aes-cmac has a padding of its own. Take `padding` out."
    ])
    expect(await errorsOf(["mac: { algorithm: ansi-x9.19, zeroed: true }"])).toEqual([
      "switch.yaml:8:43 error links[0].mac.zeroed: `zeroed` goes with the text `message`. Take it out."
    ])
    expect(await errorsOf(["macFailures: { after: 5 }"])).toEqual([
      "switch.yaml:8:18 error links[0].macFailures: `macFailures` goes with `mac`. Add `mac`, or take it out."
    ])
    expect(
      await errorsOf(["mac: { algorithm: unionpay-pos }", "macFailures: { act: signOff }"], "unionPayPos")
    ).toEqual([
      "switch.yaml:9:25 error links[0].macFailures.act: the dialect unionPayPos has no sign-off; found signOff. Write alarm, or another."
    ])
  })

  it("whose failures ask for a key on a link that exchanges none are warned of", async () => {
    const lines = ["mac: { algorithm: ansi-x9.19 }", "macFailures: { act: ask }"]
    const warned = (await saidOf(withLines(lines))).filter((line) => line.includes("macFailures"))

    expect(warned).toEqual([
      expect.stringContaining("a key is asked for, and this link exchanges none. Give it `keys`")
    ])
    expect((await saidOf(withLines([...lines, "keys: {}"]))).filter((line) => line.includes("macFailures"))).toEqual([])
  })

  it("that nobody looks at or makes are said to be none", async () => {
    expect(await saidOf(withLines(["mac: { algorithm: ansi-x9.19, receive: none, send: none }"]))).toEqual([
      "switch.yaml:8:10 warning links[0].mac: no MAC is looked at and none is made. Take `mac` out, or one of the two."
    ])
  })
})

describe("The PIN blocks of a link", () => {
  it("have a format, and are refused where the dialect has no room for it", async () => {
    expect((await guardOf(["pin: { format: iso0 }"]))?.pin).toMatchObject({
      field: 52,
      format: "iso0",
      mayDropPan: false,
      control: { field: 53 }
    })
    expect(await errorsOf(["pin: { format: iso4 }"])).toEqual([
      "switch.yaml:8:20 error links[0].pin.format: a PIN block of iso4 has 16 bytes; DE 52 of cups is b8. Choose another format, or give the dialect `52: b16`."
    ])
    expect(await errorsOf(["pin: { format: iso0, field: 44 }"])).toHaveLength(1)
  })

  it("are a warning where another link has none, and where they lose the card number", async () => {
    const said = await saidOf(withLines(["pin: { format: iso1, mayDropPan: true }"]))
    expect(said).toEqual([
      expect.stringContaining(
        "warning links[0].pin: requests with a PIN between this link and one without `pin` (issuer) are refused"
      ),
      expect.stringContaining("warning links[0].pin: PINs are translated in software"),
      expect.stringContaining("warning links[0].pin.mayDropPan: PIN blocks lose the card number that they are bound to")
    ])
  })
})
