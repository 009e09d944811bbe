/** `security.hsm`: the devices that hold the keys, as the configuration writes them. */
import { Schema } from "effect"
import { KeepAliveDocument, keepAliveMeaning, TlsDocument, tlsMeaning } from "../link/TlsDocument.ts"
import { count, Duration, described, Host, Name, option, optional, text } from "../text/Terms.ts"

const DeviceDocument = Schema.Struct({
  name: described(Name, "Name of the device, in the log and in the status."),
  host: described(Host, "Its host name or address."),
  port: optional(count(1, 65_535), "Its port. When left out: 1500 (`payshield`), 8 (`racal`) or 6666 (`sjl05`).")
})

const Digits = (length: number, what: string) => text(new RegExp(`^[0-9A-F]{${length}}$`), what)

/** See the header. */
export const HsmDocument = Schema.Struct({
  family: option(
    Schema.Literals(["payshield", "racal", "sjl05"]),
    "payshield",
    "Which commands the devices speak: `payshield` Thales payShield and devices like it, `racal` Chinese devices with Racal's commands (SJL06 and others), `sjl05` the binary commands of SJL05, one at a time on a connection."
  ),
  devices: described(
    Schema.NonEmptyArray(DeviceDocument).annotate({ expected: "a list of at least one device" }),
    "The devices. All hold the same LMK: a key of one is a key of all."
  ),
  connections: option(count(1, 64), 4, "Connections to each device. A device may allow fewer than it has callers."),
  header: optional(
    count(0, 12),
    "Characters of the message header, as the device's own settings say. Its answers come back by it: with 0, one command at a time is under way on a connection. When left out: 4, and none for `sjl05`."
  ),
  lmkId: optional(Digits(2, "two digits"), "Which LMK, in devices that have several: two digits."),
  lmkCheckValue: optional(
    Digits(16, "16 upper-case hexadecimal digits"),
    "Check value of the LMK, as the device's diagnostics say: a device with another one gets no calls. When left out: that of the first device that answers."
  ),
  tls: optional(TlsDocument, tlsMeaning),
  keepAlive: optional(KeepAliveDocument, keepAliveMeaning),
  connectTimeout: option(Duration, "5 seconds", "How long an attempt to connect may take."),
  reconnect: option(
    Schema.Struct({
      min: option(Duration, "100 millis", "Shortest pause between attempts to connect."),
      max: option(Duration, "10 seconds", "Longest pause.")
    }),
    {},
    "Pauses between attempts to connect."
  ),
  heartbeat: option(Duration, "10 seconds", "Pause between two diagnostics commands on a connection."),
  heartbeatTimeout: option(
    Duration,
    "5 seconds",
    "How long the answer to one may take before the connection is closed and made again."
  )
})
/** See the schema. */
export type HsmDocument = typeof HsmDocument.Type
