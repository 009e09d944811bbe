/**
 * An address that leads to whichever node has the switch, as a virtual address or a balancer does: it moves when it is told to,
 * and then resets what still goes to the node before. A frozen node's kernel would hold those connections for ever.
 */
import { connect, createServer, type Socket } from "node:net"
import { Effect, type Scope } from "effect"

const host = "127.0.0.1"

/** See the header. */
export interface Address {
  readonly port: number
  /** From now on it leads to this port. */
  readonly move: (port: number) => void
}

/** Listens on a free port until the scope ends; before the first move whoever connects is reset. */
export const makeAddress: Effect.Effect<Address, never, Scope.Scope> = Effect.gen(function* () {
  const through = new Map<Socket, number>()
  let target = 0
  const listening = createServer((near) => {
    near.on("error", () => {})
    if (target === 0) return void near.resetAndDestroy()
    const far = connect({ host, port: target })
    far.on("error", () => near.resetAndDestroy())
    near.pipe(far).pipe(near)
    through.set(near, target)
    near.on("close", () => {
      through.delete(near)
      far.destroy()
    })
    far.on("close", () => near.destroy())
  })
  const reset = (isGone: (port: number) => boolean): void => {
    for (const [near, port] of through) if (isGone(port)) near.resetAndDestroy()
  }
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void listening.listen(0, host, () => resume(Effect.void))),
    () =>
      Effect.sync(() => {
        listening.close()
        reset(() => true)
      })
  )
  const { port } = listening.address() as { readonly port: number }
  return {
    port,
    move: (to) => {
      target = to
      reset((one) => one !== to)
    }
  }
})
