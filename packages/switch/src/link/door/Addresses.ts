/**
 * Lists of addresses that may connect: single ones and networks (`192.0.2.10`, `192.0.2.0/24`, `2001:db8::/32`). Pure.
 */
import { Result } from "effect"
import { IpNetwork, NetAddress } from "effect/net"

/** A list, ready to be asked. An empty one holds every address. */
export interface AddressList {
  /** Whether the address is one of the list's, or of one of its networks. */
  readonly has: (address: string) => boolean
}

/** Whether a text can be in a list: an address, or a network whose host bits are zero. */
export const isAddressOrNetwork = (text: string): boolean =>
  text.includes("/") ? Result.isSuccess(IpNetwork.fromString(text)) : Result.isSuccess(NetAddress.ipFromString(text))

const normal = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "").toLowerCase()

/** The list of these texts; those that are neither address nor network are names of a simulated world and compared as such. */
export const addressList = (texts: ReadonlyArray<string>): AddressList => {
  const single = new Set(texts.filter((text) => !text.includes("/")).map(canonical))
  const networks = texts.filter((text) => text.includes("/")).map(IpNetwork.fromStringUnsafe)
  return {
    has: (address) => {
      if (texts.length === 0 || single.has(canonical(address))) return true
      const read = networks.length === 0 ? undefined : NetAddress.ipFromString(normal(address))
      if (read === undefined || Result.isFailure(read)) return false
      return networks.some((network) => IpNetwork.contains(network, read.success))
    }
  }
}

/** IPv6 has many ways to write one address. */
const canonical = (address: string): string => {
  const text = normal(address)
  const read = NetAddress.ipFromString(text)
  return Result.isSuccess(read) ? NetAddress.formatIp(read.success) : text
}

/**
 * What connections of one address are counted under: an IPv4 address is one source; of IPv6 the first 64 bits are, because
 * whoever has one address there has them all.
 */
export const sourceOf = (address: string): string => {
  const text = normal(address)
  if (!text.includes(":")) return text
  const read = NetAddress.ipv6FromString(text.replace(/%.*$/, ""))
  if (Result.isFailure(read)) return text
  const network = IpNetwork.fromAddress(read.success, 64)
  return Result.isSuccess(network) ? IpNetwork.format(network.success) : text
}
