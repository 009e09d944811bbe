/**
 * The device families: payShield-like, Racal-like Chinese devices (SJL06 and others), and the binary SJL05.
 *
 * Sources of the layouts, all public: softwaregroup-bg/ut-codec-payshield (fields, errors), nickntg/thalessimulatorlibrary (test
 * LMK, variants, values), timgabets/pythales and mszeu/PayShieldPressureTest (frames), seecoo/repos unionSJL06 (Racal-like
 * commands), the Perl module Util::HSM::Vendor::SLJ05, package cn.wimetro.pos (binary commands). What no public source shows is
 * left out.
 */
import type { DeviceCommand, DeviceFamily, KeyScheme, RequestField, Verdict } from "./DeviceFamily.ts"

const text = (of: Extract<RequestField, { put: "text" }>["of"]): RequestField => ({ put: "text", of })
const unhex = (of: Extract<RequestField, { put: "unhex" }>["of"]): RequestField => ({ put: "unhex", of })
const counted = (of: Extract<RequestField, { put: "unhex" }>["of"]): ReadonlyArray<RequestField> => [
  { put: "unhexLength", of },
  unhex(of)
]

const kcv6 = { take: "text", to: "checkValue", characters: 6 } as const

const textSchemes: ReadonlyArray<KeyScheme> = [
  { cipher: "des", bytes: 8, own: "", ownField: "Z", wrapped: "", wrappedField: "Z", lengthFlag: "0" },
  { cipher: "tdes", bytes: 16, own: "U", ownField: "U", wrapped: "X", wrappedField: "X", lengthFlag: "1" },
  { cipher: "tdes", bytes: 24, own: "T", ownField: "T", wrapped: "Y", wrappedField: "Y", lengthFlag: "2" }
]

/** Error codes that both text families have (ut-codec-payshield errors/list.json). */
const textErrors: Readonly<Record<string, Verdict>> = {
  "01": "macWrong",
  "10": "key",
  "11": "key",
  A4: "key",
  A5: "key",
  A6: "key",
  A7: "key",
  A8: "key",
  A9: "key",
  "20": "format",
  "22": "format",
  "23": "format",
  "24": "format",
  "69": "format",
  "12": "out",
  "13": "out",
  "17": "out",
  "29": "out",
  "67": "out",
  "68": "out",
  "15": "request",
  "26": "request",
  "27": "request",
  "28": "request",
  "80": "request",
  "39": "again",
  "41": "again",
  "42": "again",
  "90": "again",
  "91": "again",
  "92": "again"
}

const heartbeat: DeviceCommand = {
  request: ["NC"],
  code: "ND",
  answer: [
    { take: "text", to: "lmkCheckValue", characters: 16 },
    { take: "text", to: "firmware", characters: 9 }
  ]
}

const importKey: DeviceCommand = {
  request: ["A6", text("keyType"), text("kek"), text("wrapped"), text("scheme")],
  code: "A7",
  answer: [{ take: "key", to: "key" }, kcv6],
  warning: "01"
}

const generateKey: DeviceCommand = {
  request: ["A01", text("keyType"), text("scheme"), ";0", text("kek"), text("kekScheme")],
  code: "A1",
  answer: [{ take: "key", to: "key" }, { take: "key", to: "wrapped" }, kcv6]
}

const exportKey: DeviceCommand = {
  request: ["A8", text("keyType"), text("kek"), text("key"), text("kekScheme")],
  code: "A9",
  answer: [{ take: "key", to: "wrapped" }, kcv6]
}

const checkValue: DeviceCommand = {
  request: ["BUFF", text("lengthFlag"), text("key"), ";", text("keyType"), ";00", text("checkSize")],
  code: "BV",
  answer: [{ take: "rest", to: "checkValue" }]
}

/** CC from zone to zone, CA from a terminal's key (TPK) to a zone's: the same fields. */
const translatePin = (code: string, answer: string): DeviceCommand => ({
  request: [
    code,
    text("key"),
    text("target"),
    "12",
    { put: "hex", of: "block" },
    text("sourceFormat"),
    text("targetFormat"),
    text("account")
  ],
  code: answer,
  answer: [
    { take: "text", to: "nothing", characters: 2 },
    { take: "text", to: "block", characters: 16 }
  ]
})

/** M6 and M8: mode 0 (one message), input 0 (binary), size, algorithm, padding, key type, key, length, message. */
const macFields = (code: string): ReadonlyArray<RequestField> => [
  code,
  "00",
  text("size"),
  text("algorithm"),
  text("padding"),
  text("keyType"),
  text("key"),
  { put: "length", of: "message", as: "hex4" },
  { put: "bytes", of: "message" }
]

const generateMac: DeviceCommand = { request: macFields("M6"), code: "M7", answer: [{ take: "rest", to: "mac" }] }
const verifyMac: DeviceCommand = { request: [...macFields("M8"), { put: "hex", of: "mac" }], code: "M9", answer: [] }

/** Devices with the commands of Thales payShield and its forerunners. */
export const payShield: DeviceFamily = {
  name: "payshield",
  about: "Thales payShield and devices with its command set",
  port: 1500,
  frame: "length",
  headerLength: 4,
  messageMax: 32_000,
  keyTypes: { kek: "000", pin: "001", mac: "008", data: "00A" },
  keyBlockType: "FFF",
  schemes: textSchemes,
  pinFormats: { iso0: "01", iso1: "05", iso3: "47" },
  macs: [
    { method: "cbc", cipher: "des", code: "1", paddings: { 1: "1", 2: "2" }, make: generateMac, verify: verifyMac },
    { method: "retail", cipher: "des", code: "3", paddings: { 1: "1", 2: "2" }, make: generateMac, verify: verifyMac }
  ],
  heartbeat,
  translatePin: translatePin("CC", "CD"),
  terminals: { keyType: "002", translatePin: translatePin("CA", "CB") },
  importKey,
  generateKey,
  exportKey,
  checkValue,
  errors: textErrors
}

/** MS: block 0 (only one), key type 1 (ZAK), key length, message 0 (binary), key, length, message; zeros pad. */
const generateMab: DeviceCommand = {
  request: [
    "MS01",
    text("algorithm"),
    "0",
    text("key"),
    { put: "length", of: "message", as: "hex4" },
    { put: "bytes", of: "message" }
  ],
  code: "MT",
  answer: [{ take: "rest", to: "mac" }]
}

/** Chinese devices with the older Racal commands: SJL06 and its relatives. */
export const racal: DeviceFamily = {
  ...payShield,
  name: "racal",
  about: "Chinese devices with Racal's command set (SJL06 and others)",
  port: 8,
  messageMax: 4096,
  keyBlockType: undefined,
  schemes: [
    { cipher: "des", bytes: 8, own: "", ownField: "Z", wrapped: "", wrappedField: "Z", lengthFlag: "0" },
    { cipher: "tdes", bytes: 16, own: "X", ownField: "X", wrapped: "X", wrappedField: "X", lengthFlag: "1" },
    { cipher: "tdes", bytes: 24, own: "Y", ownField: "Y", wrapped: "Y", wrappedField: "Y", lengthFlag: "2" }
  ],
  pinFormats: { iso0: "01", iso1: "05" },
  macs: [
    { method: "cbc", cipher: "des", code: "0", paddings: { 1: "" }, make: generateMab },
    { method: "retail", cipher: "des", code: "1", paddings: { 1: "" }, make: generateMab }
  ]
}

const mac8 = { take: "bytes", to: "mac", length: 8 } as const

const binaryMac: DeviceCommand = {
  request: [
    "\xd1\x32",
    unhex("algorithm"),
    ...counted("key"),
    "\0\0\0\0\0\0\0\0",
    { put: "length", of: "message", as: "u16" },
    { put: "bytes", of: "message" }
  ],
  answer: [mac8]
}

const binarySm4Mac: DeviceCommand = {
  request: [
    "\xa8\x03\x07\x01\0\x01",
    { put: "unhexLength", of: "key" },
    "\x02",
    unhex("key"),
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    { put: "length", of: "message", as: "u16" },
    { put: "bytes", of: "message" }
  ],
  answer: [mac8]
}

/** Devices with SJL05's binary commands. */
export const sjl05: DeviceFamily = {
  name: "sjl05",
  about: "SJL05 and devices with its binary commands; one command under way on a connection",
  port: 6666,
  frame: "bare",
  headerLength: 0,
  messageMax: 2048,
  keyTypes: { kek: "", pin: "", mac: "", data: "" },
  keyBlockType: undefined,
  schemes: [
    { cipher: "des", bytes: 8, own: "", ownField: "", wrapped: "", wrappedField: "", lengthFlag: "" },
    { cipher: "tdes", bytes: 16, own: "", ownField: "", wrapped: "", wrappedField: "", lengthFlag: "" },
    { cipher: "tdes", bytes: 24, own: "", ownField: "", wrapped: "", wrappedField: "", lengthFlag: "" }
  ],
  pinFormats: { iso0: "01" },
  macs: [
    { method: "cbc", cipher: "des", code: "02", paddings: { 1: "" }, make: binaryMac },
    { method: "retail", cipher: "des", code: "03", paddings: { 1: "" }, make: binaryMac },
    { method: "cbc", cipher: "sm4", code: "07", paddings: { 1: "" }, make: binarySm4Mac }
  ],
  translatePin: {
    request: [
      "\xd1\x24",
      ...counted("key"),
      ...counted("target"),
      unhex("sourceFormat"),
      unhex("targetFormat"),
      { put: "bytes", of: "block" },
      text("account"),
      ";",
      text("account")
    ],
    answer: [{ take: "bytes", to: "block", length: 8 }]
  },
  importKey: {
    request: [
      "\xd1\x02",
      { put: "unhexLength", of: "wrapped" },
      { put: "unhexLength", of: "kek" },
      "\xff\xff",
      unhex("kek"),
      unhex("wrapped"),
      "\0"
    ],
    answer: [
      { take: "counted", to: "key" },
      { take: "bytes", to: "checkValue", length: 8 }
    ]
  },
  checkValue: {
    request: ["\x04\x23\0\x10", ...counted("key")],
    answer: [{ take: "bytes", to: "checkValue", length: 8 }]
  },
  errors: {}
}

/** The families by the names that configurations use. */
export const deviceFamilies = { payshield: payShield, racal, sjl05 } as const satisfies Record<string, DeviceFamily>
