import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { TestClock } from "effect/testing"
import * as Certificates from "../../../packages/switch/src/operate/Certificates.ts"
import type { SwitchSettings } from "../../../packages/switch/src/Switch.ts"
import { Credentials, type Material } from "../../../packages/switch/src/transport/Credentials.ts"
import { linkOf } from "../core/Bench.ts"
import { tls } from "../transport/Sockets.ts"

const plain: SwitchSettings = {
  links: [linkOf("acquirer", 4802)],
  routes: [],
  limits: { requestTimeoutMs: 1000, recentKeys: 1024, unwrittenRefuse: 1, unwrittenStop: 1 }
}

const secured: SwitchSettings = {
  ...plain,
  links: [
    ...plain.links,
    {
      ...linkOf("issuer", 103),
      side: {
        _tag: "connect",
        to: { host: "bench", port: 103 },
        timeoutMs: 1000,
        tls: { ...tls(undefined), certificate: "ours.pem", key: "ours.key" }
      }
    }
  ]
}

const DAY_MS = 86_400_000

describe("The watch over certificates", () => {
  it.effect("looks after a link that a reload has brought, also where no link had one before", () =>
    Effect.gen(function* () {
      const said: Array<string> = []
      let looked = 0
      const credentials = Credentials.of({
        of: () => ({ expiresAt: 12.5 * DAY_MS }) as Material,
        reload: Effect.succeed([]),
        refresh: Effect.sync(() => {
          looked++
          return []
        })
      })
      let inForce = plain
      yield* TestClock.setTime(10 * DAY_MS)
      yield* Certificates.watch(() => inForce).pipe(
        Effect.provideService(Credentials, credentials),
        Effect.provide(Logger.layer([Logger.make(({ message }) => said.push(String(message)))])),
        Effect.forkChild
      )
      yield* TestClock.adjust(60_000)

      expect(said).toEqual([])

      inForce = secured
      yield* TestClock.adjust(60_000)

      expect(looked).toBe(2)
      expect(said).toEqual(["our certificate ours.pem runs out in 2 days: whoever checks it refuses it then"])
    })
  )

  it.effect("tells of the operators' listener, too, from when a reload has given it one", () =>
    Effect.gen(function* () {
      const credentials = Credentials.of({
        of: () => ({ expiresAt: 12.5 * DAY_MS }) as Material,
        reload: Effect.succeed([]),
        refresh: Effect.succeed([])
      })
      let listener: ReadonlyArray<ReturnType<typeof tls>> = []
      const ending = yield* Certificates.makeEnding(
        () => plain,
        () => listener
      ).pipe(Effect.provideService(Credentials, credentials))

      expect(ending(10 * DAY_MS)).toEqual([])
      listener = [{ ...tls(undefined), certificate: "admin.pem", key: "admin.key" }]
      expect(ending(10 * DAY_MS)).toEqual([{ file: "admin.pem", days: 2 }])
    })
  )
})
