/** The three padding methods of ISO/IEC 9797-1:2011, 6.3 (GB/T 15852.1 has the same): bytes to whole cipher blocks. */

/** 1: zeros. 2: one bit 1, then zeros. 3: a first block with the length in bits, then as 1. */
export type MacPadding = 1 | 2 | 3

/**
 * A new buffer with the padded message; never empty.
 *
 * Method 1 does not tell a message from the same message with zeros behind it: use it only where the length is fixed by
 * the message itself, as in ISO 8583 MAC fields.
 */
export const padForMac = (message: Uint8Array, padding: MacPadding, blockLength: 8 | 16): Buffer => {
  const length = message.length
  const whole = (bytes: number): number => Math.max(blockLength, Math.ceil(bytes / blockLength) * blockLength)
  switch (padding) {
    case 1: {
      const padded = Buffer.alloc(whole(length))
      padded.set(message)
      return padded
    }
    case 2: {
      const padded = Buffer.alloc(whole(length + 1))
      padded.set(message)
      padded[length] = 0x80
      return padded
    }
    case 3: {
      const padded = Buffer.alloc(blockLength + whole(length))
      const bits = length * 8
      padded.writeUInt32BE(Math.floor(bits / 0x1_0000_0000), blockLength - 8)
      padded.writeUInt32BE(bits >>> 0, blockLength - 4)
      padded.set(message, blockLength)
      return padded
    }
  }
}
