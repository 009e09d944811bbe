/** An issuer's host as a program of Effect: it owns one link, approves what is small, and refuses the rest. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import {
  answerHeader,
  type Codec,
  cups46,
  isMessageError,
  type Message,
  mtiText,
  responseMti,
  reveal
} from "@jinka/codec"
import { Configuration, Link, LinkEvents, NodeTransport } from "@jinka/switch"
import { Effect, Layer } from "effect"

/** The link as `jinka` would write it: all defaults hold, and every error has its line. */
const configuration = (port: number) => `
name: host
institution: "01020000"
journal: { directory: ./journal, key: { env: UNUSED } }
links:
  - name: network
    institution: "00010000"
    dialect: cups
    listen: { host: 127.0.0.1, port: ${port}, from: [127.0.0.1] }
`

const LIMIT = 1000_00

/** The answer to a purchase. */
const answer = (codec: Codec, request: Message): Buffer | undefined => {
  const { 35: _track, 52: _pin, 55: _chip, ...fields } = request.fields
  const code = Number(reveal(request.fields[4] ?? "0")) > LIMIT ? "61" : "00"
  const bytes = codec.encode({
    header: answerHeader(cups46, request.header ?? {}),
    mti: mtiText(responseMti(Number(request.mti))),
    fields: { ...fields, 39: code }
  })
  return isMessageError(bytes) ? undefined : bytes
}

/** Runs until it is interrupted; fails when the address cannot be listened on. `told` hears of what happens. */
export const host = (port: number, told: (line: string) => void) =>
  Effect.gen(function* () {
    const { settings } = yield* Configuration.parse(configuration(port), "host.yaml", ".")
    const [plan] = settings.links
    const { codec } = plan!
    const link = new Link.Link(
      0,
      plan!,
      LinkEvents.eventsOf<Link.Link>({
        message: (link, _session, { buffer, end, start }) => {
          const request = codec.decode(buffer, start, end)
          if (isMessageError(request)) return
          const bytes = answer(codec, request)
          if (bytes !== undefined) link.session?.put(bytes)
        },
        readiness: (_link, isReady) => told(isReady ? "the network may send" : "the network may not send"),
        ended: (_link, epoch, { reason }) => told(`connection ${epoch} ended: ${reason}`)
      })
    )
    return yield* link.run
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(NodeTransport.layer, NodeServices.layer)))
