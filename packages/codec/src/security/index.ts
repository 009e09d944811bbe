/**
 * The public names of the security functions: MACs, PIN blocks, key check values, DUKPT and key blocks. Pure and synchronous;
 * keys and random bytes are arguments, errors are returned (`SecurityError`). Keys are kept nowhere here.
 */

/** The block ciphers that a key may be for. */
export type { Cipher } from "./BlockCipher.ts"
export * from "./CupsMac.ts"
export {
  type AesDukptKeyType,
  type AesDukptUsage,
  aesDukptInitialKey,
  aesDukptTransactionKey,
  aesDukptWorkingKey
} from "./DukptAes.ts"
export {
  type TdesDukptUsage,
  tdesDukptInitialKey,
  tdesDukptTransactionKey,
  tdesDukptWorkingKey
} from "./DukptTdes.ts"
export { decryptBlocks, decryptCbc, ENCRYPTION_LENGTH_MAX, encryptBlocks, encryptCbc } from "./Encryption.ts"
export { type UnwrappedKey, unwrapKeyBlock, type WrapOptions, wrapKeyBlock } from "./KeyBlock.ts"
export {
  KEY_BLOCK_LENGTH_MAX,
  type KeyBlockHeader,
  type KeyBlockVersion,
  type OptionalBlock,
  type ReadKeyBlockHeader,
  readKeyBlockHeader
} from "./KeyBlockHeader.ts"
export { type KeyCheckMethod, keyCheckMethods, keyCheckValue } from "./KeyCheck.ts"
export {
  computeMac,
  equalMac,
  type MacAlgorithm,
  type MacKey,
  macAlgorithms,
  makeMacKey,
  unionPayMacText
} from "./Mac.ts"
export type { MacPadding } from "./Padding.ts"
export { buildPinBlock, openPinBlock, type PinBlockFormat } from "./PinBlock.ts"
export {
  decryptPin,
  encryptPin,
  makePinKey,
  type PinKey,
  type PinZone,
  translateOpaque,
  translatePin
} from "./PinTranslation.ts"
export type { RandomBytes } from "./Random.ts"
export { explainSecurityError, isSecurityError, type SecurityError, type SecurityErrorTag } from "./SecurityError.ts"
