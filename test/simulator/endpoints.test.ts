/** Addresses, as people write them: the same reading in flags, files and `--target`. */
import { expect, it } from "vitest"
import { endpointOfText, endpointText } from "../../packages/simulator/src/link/Listener.ts"

it.each([
  ["127.0.0.1:7001", "127.0.0.1", 7001, "127.0.0.1:7001"],
  ["[::1]:7001", "::1", 7001, "[::1]:7001"],
  ["::1:7001", "::1", 7001, "[::1]:7001"],
  ["[fe80::1%eth0]:7001", "fe80::1%eth0", 7001, "[fe80::1%eth0]:7001"],
  ["host.example:0", "host.example", 0, "host.example:0"]
])("the address %s is read, and told again", (text, host, port, told) => {
  expect(endpointOfText(text)).toEqual({ host, port })
  expect(endpointText({ host, port })).toBe(told)
})

it.each(["7001", "host", "host:", ":7001", "host:70000", "host:-1", "host:7 001", "[::1:7001", "[]:7001", "host:1e3"])(
  "%s is no address",
  (text) => {
    expect(endpointOfText(text)).toBeUndefined()
  }
)
