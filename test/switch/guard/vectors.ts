/** Keys and values of test/fixtures/keys.json (its "_about" names the sources), and modules that hold the keys. */
import { Effect } from "effect"
import { type Cipher, type MacAlgorithm, macAlgorithms } from "../../../packages/codec/src/security/index.ts"
import type { KeyHandle, KeyPurpose } from "../../../packages/switch/src/guard/KeyHandle.ts"
import { SoftwareModule } from "../../../packages/switch/src/guard/SoftwareModule.ts"
import { bytes, seeded, vectors } from "../../codec/security/vectors.ts"

/** One PIN block of the file, by a name that says format, cipher and key. */
interface BlockVector {
  readonly block: string
}

/** The parts of the file that the tests of the guard read. */
export const keyVectors = vectors<{
  readonly keys: Record<
    string,
    { readonly hex: string; readonly cipher: Cipher; readonly kcv3: string; readonly kcvCmac5?: string }
  >
  readonly pans: { readonly pan: string; readonly pan19: string }
  readonly cupsMac: ReadonlyArray<{
    readonly name: string
    readonly text: string
    readonly x99: string
    readonly x919: string
  }>
  readonly wholeMessageMac: {
    readonly covered: string
    readonly results: Record<string, { readonly key: string; readonly mac: string }>
  }
  readonly keyExchange: ReadonlyArray<{
    readonly name: string
    readonly newKey?: string
    readonly kek?: string
    readonly wrappedKey?: string
    readonly kcv4?: string
  }>
  readonly pinBlocks: {
    readonly blocks: Record<string, BlockVector>
    readonly translations: ReadonlyArray<{ readonly from: string; readonly to: string; readonly verdict: string }>
  }
  readonly hsmFrames: {
    readonly testLmk: Record<string, string>
    readonly keysUnderTestLmk: Record<string, string>
    readonly exchanges: ReadonlyArray<{
      readonly name: string
      readonly request: string
      readonly response: string
      readonly requestFrame: string
      readonly responseFrame: string
    }>
    readonly binaryLayouts: {
      readonly items: ReadonlyArray<{ readonly name: string; readonly request?: string; readonly answer: string }>
    }
    readonly framing: { readonly traces: ReadonlyArray<{ readonly request: string; readonly answer?: string }> }
  }
  readonly keyBlocks: {
    readonly items: ReadonlyArray<{
      readonly version: string
      readonly usage: string
      readonly algorithm: string
      readonly kbpk: string
      readonly key: string
      readonly block: string
    }>
  }
}>("keys")

/** A software module that takes test keys only where `allowTestKeys`. */
export const software = (allowTestKeys = false): SoftwareModule =>
  new SoftwareModule({ storageKey: Buffer.alloc(32, 0x5a), random: seeded(20261127), allowTestKeys })

/** The bytes of a key of the file. */
export const keyBytes = (name: string): Buffer => bytes(keyVectors.keys[name]!.hex)

/** A key of the file in the module's hands. */
export const keyIn = (module: SoftwareModule, name: string, purpose: KeyPurpose): KeyHandle =>
  Effect.runSync(
    module.importKey({
      name,
      purpose,
      algorithm: keyVectors.keys[name]!.cipher,
      key: { form: "components", components: [keyBytes(name)] }
    })
  )

/** The MAC algorithm that the file calls so: `sm4-cbc padding 1`. */
export const macAlgorithm = (name: string): MacAlgorithm => {
  const [base, , padding] = name.split(" ")
  const algorithm: MacAlgorithm = macAlgorithms[base as keyof typeof macAlgorithms]
  return padding === undefined ? algorithm : ({ ...algorithm, padding: Number(padding) } as MacAlgorithm)
}
