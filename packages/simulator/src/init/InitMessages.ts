/**
 * The messages that a new folder's dialogues start from, in any dialect that has network management and reversals: which data
 * elements there are and how long, the dialect says. Pure.
 */
import { type Dialect, type Layout, mtiText, reversalSets } from "@jinka/codec"
import { timePictures } from "../message/LocalTime.ts"

/** Published test number: nobody's card. */
export const testCard = "6200000000000005"

/** Codes of the institutions in a new folder. */
export const institutions = { acquirer: "48020000", issuer: "01020000", centre: "00010000" }

/** Data elements of a purchase that have no role: function, terminal, merchant (ISO 8583, all editions). */
const others: Readonly<Record<number, (units: number) => string | undefined>> = {
  24: () => "200",
  41: () => "TERM0001",
  42: () => "MERCHANT0000001"
}

/** An amount in minor units: the 2003 edition writes currency and exponent before the digits. */
export const amountText = ({ fields, roles }: Layout, minor: number): string => {
  const digits = String(minor).padStart(12, "0")
  return (fields[roles.amount]?.units ?? digits.length) > digits.length ? `1562${digits}` : digits
}

const quoted = (text: string): string => `"${text}"`

/** Message type and header first, then the data elements in order. */
const linesOf = (name: string, values: Readonly<Record<string, string>>): string => {
  const entries = Object.entries(values)
  const isElement = ([key]: readonly [string, string]): boolean => /^\d/.test(key)
  const ordered = [...entries.filter((entry) => !isElement(entry)), ...entries.filter(isElement)]
  return [`${name}:`, ...ordered.map(([key, value]) => `  ${key}: ${value}`)].join("\n")
}

const purchase = (layout: Layout): Readonly<Record<string, string>> => {
  const { dialect, fields, roles } = layout
  const values: Record<number, string> = {
    [roles.pan]: testCard,
    [roles.processingCode]: "000000",
    [roles.amount]: amountText(layout, 12_300),
    [roles.stan]: "{stan}",
    [roles.acquirer]: institutions.acquirer,
    [roles.forwarder]: institutions.acquirer,
    [roles.rrn]: "{rrn}",
    ...Object.fromEntries([...timePictures(layout)].map(([de, picture]) => [de, `{now:${picture}}`])),
    ...(dialect.version < 2 ? { [roles.currency]: "156" } : {})
  }
  for (const [de, value] of Object.entries(others)) {
    const field = fields[Number(de)]
    // Function code: not a data element of its own in 1987.
    if (field === undefined || (de === "24" && dialect.version === 0)) continue
    const text = value(field.units)
    if (text !== undefined) values[Number(de)] = text
  }
  const there = Object.entries(values).filter(([de]) => fields[Number(de)] !== undefined)
  return {
    mti: quoted(mtiText(dialect.version * 1000 + 200)),
    ...headerOf(layout),
    ...Object.fromEntries(there.map(([de, value]) => [de, quoted(value)]))
  }
}

const headerOf = ({ header }: Layout): Readonly<Record<string, string>> => {
  const parts = [
    ...(header?.destination === undefined ? [] : [`${header.destination.name}: ${quoted(institutions.centre)}`]),
    ...(header?.source === undefined ? [] : [`${header.source.name}: ${quoted(institutions.acquirer)}`])
  ]
  return parts.length === 0 ? {} : { header: `{ ${parts.join(", ")} }` }
}

const management = (layout: Layout, code: string): Readonly<Record<string, string>> => {
  const { dialect, roles } = layout
  const { field, fields, mti } = dialect.network!
  const values: Readonly<Record<number, string>> = {
    [roles.transmissionTime]: "{now:MMDDhhmmss}",
    [roles.stan]: "{stan}",
    [roles.acquirer]: institutions.acquirer,
    [roles.forwarder]: institutions.acquirer
  }
  const carried = new Set([roles.transmissionTime, roles.stan, ...fields])
  const known = [...carried].filter((de) => values[de] !== undefined && layout.fields[de] !== undefined)
  return {
    mti: quoted(mtiText(mti)),
    ...headerOf(layout),
    ...Object.fromEntries(known.map((de) => [de, quoted(values[de]!)])),
    [field]: quoted(code)
  }
}

/** The reversal of the message that is called `asked`. */
const reversal = (layout: Layout): Readonly<Record<string, string>> => {
  const { dialect, roles } = layout
  const recipe = dialect.reversal!
  const { copies, mti, originalData, renews } = recipe
  const own = purchase(layout)
  const renewed: Readonly<Record<number, string>> = {
    [roles.transmissionTime]: "{now:MMDDhhmmss}",
    [roles.stan]: "{stan}",
    [roles.forwarder]: institutions.acquirer
  }
  const kept = copies.filter((de) => own[de] !== undefined && renewed[de] === undefined)
  const original = originalData.parts
    .map(({ de, digits, length = "fixed" }) => {
      if (de === 0) return "{asked.mti}"
      if (length === "fixed") return own[de] === undefined ? "0".repeat(digits) : `{asked.${de}:n${digits}}`
      const prefix = length === "counted" ? String(institutions.acquirer.length).padStart(2, "0") : ""
      return `${prefix}{asked.${de}}`
    })
    .join("")
  const values: Record<number, string> = { ...reversalSets(recipe, "noAnswer") }
  for (const de of kept) values[de] = `{asked.${de}}`
  for (const de of renews) if (renewed[de] !== undefined && layout.fields[de] !== undefined) values[de] = renewed[de]
  values[originalData.field] = original
  return {
    mti: quoted(mtiText(mti)),
    ...headerOf(layout),
    ...Object.fromEntries(Object.entries(values).map(([de, value]) => [de, quoted(value)]))
  }
}

/** Whether a new folder can be made in this dialect: its dialogues sign on, ask, and reverse. */
export const canBegin = ({ network, reversal: recipe }: Dialect): boolean =>
  network?.codes.signOn !== undefined && network.codes.echo !== undefined && recipe !== undefined

/** The messages file. */
export const messagesText = (layout: Layout): string => {
  const { codes } = layout.dialect.network!
  return [
    `# The messages that the dialogues start from, in ${layout.dialect.title}.`,
    '# Card numbers are published test numbers. A dialogue changes what it needs: { like: purchase, 4: "..." }.',
    "",
    linesOf("sign-on", management(layout, codes.signOn!)),
    "",
    linesOf("echo", management(layout, codes.echo!)),
    "",
    linesOf("purchase", purchase(layout)),
    "",
    "# Of the message that is called `asked`.",
    linesOf("reversal", reversal(layout)),
    ""
  ].join("\n")
}

/** How a load profile writes what a dialogue writes so. It knows no year, and a terminal's clock may have any. */
const loadReferences: ReadonlyArray<readonly [string, string]> = [
  ["{now:MMDDhhmmss}", "{time}"],
  ["{now:hhmmss}", "{time hhmmss}"],
  ["{now:MMDD}", "{time MMDD}"],
  ["{now:YYMMDDhhmmss}", "30{time}"],
  ["{now:YYYYMMDDhhmmss}", "2030{time}"]
]

const forLoad = (values: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      loadReferences.reduce((text, [dialogue, load]) => text.replace(dialogue, load), value)
    ])
  )

/** The messages of a load profile: a sign-on and a purchase. */
export const loadMessages = (layout: Layout): string => {
  const messages = [
    linesOf("signOn", forLoad(management(layout, layout.dialect.network!.codes.signOn!))),
    linesOf("purchase", forLoad(purchase(layout)))
  ]
  return messages.map((text) => text.replaceAll(/^/gm, "  ")).join("\n")
}
