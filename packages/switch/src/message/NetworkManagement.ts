/**
 * Sign-on, sign-off and echo: the network management messages that a link sends and answers by itself.
 *
 * The codes come from the dialect's table, never from here: 301 is echo in one network and sign-on in another. These
 * messages are never journalled as transactions and never replayed.
 */
import {
  type Codec,
  type Dialect,
  dateTimeText,
  type Message,
  type MessageIndex,
  mtiText,
  type NetworkCodes,
  PatchList,
  responseMti
} from "@jinka/codec"
import { addresses } from "./Addressing.ts"
import type { LanguageSettings } from "./Language.ts"
import { pad, sizedStan } from "./Stamp.ts"

/** What a network management code means to the link. */
export type Meaning = keyof NetworkCodes["codes"]

/** The meaning of the code in a network management request, or `undefined` when the dialect's table does not have it. */
export const meaning = (dialect: Dialect, index: MessageIndex): Meaning | undefined => {
  if (dialect.network === undefined || !index.has(dialect.network.field)) return undefined
  const { codes, field } = dialect.network
  const code = index.text(field)
  return (Object.keys(codes) as Array<Meaning>).find((name) => codes[name] === code)
}

/**
 * A network management message of ours: `values`, and of `fields` those that the link knows: our names and the partner's. It
 * always has its time and its STAN, 1..999999. `now` in milliseconds since the epoch.
 */
export const ownMessage = (
  settings: LanguageSettings,
  mti: number,
  fields: ReadonlyArray<number>,
  values: Message["fields"],
  stan: number,
  now: number
): Message => {
  const { codec, institution, ourInstitution } = settings
  const { dialect, layout } = codec
  const { roles } = layout
  const own: { readonly [de: number]: string } = {
    [roles.transmissionTime]: dateTimeText(now + settings.utcOffsetMs, 0),
    [roles.stan]: sizedStan(layout, pad(stan, 6))
  }
  const known: { readonly [de: number]: string } = {
    ...own,
    [roles.acquirer]: ourInstitution,
    [roles.forwarder]: ourInstitution,
    [roles.receiver]: institution
  }
  const carried = fields.filter((de) => known[de] !== undefined).map((de) => [de, known[de]!])
  // A terminal's messages have no transmission time.
  const there = Object.entries(own).filter(([de]) => layout.fields[Number(de)] !== undefined)
  return {
    ...(dialect.header === undefined ? {} : { header: addresses(dialect, institution, ourInstitution) }),
    mti: mtiText(mti),
    fields: { ...Object.fromEntries(carried), ...Object.fromEntries(there), ...values }
  }
}

/** A request of ours by its meaning; see `ownMessage`. */
export const request = (settings: LanguageSettings, what: Meaning, stan: number, now: number): Message => {
  const { mti, field, codes, fields } = settings.codec.dialect.network!
  return ownMessage(settings, mti, fields, { [field]: codes[what]! }, stan, now)
}

const patches = new PatchList()

/** The answer with response code `code` to a partner's network management request. */
export const answer = (codec: Codec, index: MessageIndex, code: string): Buffer => {
  patches.clear()
  patches.mti(responseMti(index.mti))
  patches.set(codec.layout.roles.responseCode, code)
  patches.answer()
  const out = Buffer.allocUnsafe(codec.patchedLength(index, patches))
  return out.subarray(0, codec.patch(index, patches, out, 0))
}
