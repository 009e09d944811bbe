/**
 * What the devices of a family can do, read out of the family's table: for the driver, which asks nothing else of a device; for
 * `jinka check`, which says so before the first message; and for people. There is no second list.
 */
import { type Cipher, type MacAlgorithm, type MacPadding, macAlgorithms, type PinBlockFormat } from "@jinka/codec"
import type { DeviceFamily, DeviceMac, KeyScheme } from "./DeviceFamily.ts"

/** Bytes of a MAC that a device makes or verifies. */
export const deviceMacLengths: ReadonlyArray<number> = [4, 8]

/** How a key comes to a device, or leaves it, with a partner's message: block by block under a key-encryption key. */
export const deviceWrap = "ecb"

/** The padding of an algorithm; those with one of their own have the first. */
export const paddingOf = (algorithm: MacAlgorithm): MacPadding => ("padding" in algorithm ? algorithm.padding : 1)

/** How a family makes MACs of an algorithm, and what it calls the padding; `undefined`: it does not. */
export const macOf = (
  { macs }: DeviceFamily,
  algorithm: MacAlgorithm
): { readonly mac: DeviceMac; readonly padding: string } | undefined => {
  for (const mac of macs) {
    if (mac.method !== algorithm.method || mac.cipher !== algorithm.cipher) continue
    const padding = mac.paddings[paddingOf(algorithm)]
    if (padding !== undefined) return { mac, padding }
  }
  return undefined
}

/** The paddings that a family has for an algorithm, whatever that one's own is; empty: it has no such MAC. */
export const paddingsFor = ({ macs }: DeviceFamily, { cipher, method }: MacAlgorithm): ReadonlyArray<number> =>
  macs
    .filter((mac) => mac.method === method && mac.cipher === cipher)
    .flatMap(({ paddings }) => Object.keys(paddings).map(Number))

/** The MACs that a family makes, by the names that configurations use. */
export const macNames = (family: DeviceFamily): ReadonlyArray<string> =>
  Object.entries(macAlgorithms).flatMap(([name, algorithm]) =>
    paddingsFor(family, algorithm).length > 0 ? [name] : []
  )

/** The formats of PIN blocks that a family translates. */
export const pinFormatsOf = ({ pinFormats }: DeviceFamily): ReadonlyArray<PinBlockFormat> =>
  Object.keys(pinFormats) as ReadonlyArray<PinBlockFormat>

/** How a family writes keys of a cipher and length; `undefined`: it has none. */
export const schemeOf = ({ schemes }: DeviceFamily, cipher: Cipher, bytes: number): KeyScheme | undefined =>
  schemes.find((scheme) => scheme.cipher === cipher && scheme.bytes === bytes)

/** The ciphers of keys that a family takes in, or gives. */
export const ciphersOf = ({ schemes }: DeviceFamily): ReadonlyArray<Cipher> => [
  ...new Set(schemes.map(({ cipher }) => cipher))
]

/** `tdes of 16 bytes`: the keys that a family has, for people. */
export const keysOf = ({ schemes }: DeviceFamily): ReadonlyArray<string> =>
  schemes.map(({ bytes, cipher }) => `${cipher} of ${bytes} bytes`)
