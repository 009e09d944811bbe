/**
 * Every store of the journal: SQLite, PostgreSQL, the one in memory, and PostgreSQL as the deterministic world has it. What a
 * switch relies on must hold of each; a journal is opened, used and closed there, and opened again.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit, Layer } from "effect"
import { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import type { JournalStore } from "../../../packages/switch/src/journal/JournalStore.ts"
import { MemoryStore } from "../../../packages/switch/src/journal/MemoryStore.ts"
import { Connecting, type PostgresPlace } from "../../../packages/switch/src/journal/postgres/PostgresConnection.ts"
import { layerPostgres } from "../../../packages/switch/src/journal/postgres/PostgresStore.ts"
import { Keyring } from "../../../packages/switch/src/journal/Seal.ts"
import { layerSqlite } from "../../../packages/switch/src/journal/SqliteStore.ts"
import { RealPostgres, whyNoPostgres } from "../../postgres/RealPostgres.ts"
import { placeOf } from "../../postgres/Stores.ts"
import { fleetStore } from "../../simulation/fleet/FleetStore.ts"
import { KeptGroups } from "../../simulation/fleet/KeptGroups.ts"
import { connectTo } from "../../simulation/fleet/SimConnection.ts"
import { SimPostgres } from "../../simulation/fleet/SimPostgres.ts"
import { Machine } from "../../simulation/world/Machine.ts"
import { SimNet } from "../../simulation/world/SimNet.ts"
import { World } from "../../simulation/world/World.ts"
import { testKey } from "./Journals.ts"

/** What uses an open journal. */
export type Use<A> = (journal: Journal["Service"]) => Effect.Effect<A, unknown>

/** One journal, empty at first. */
export interface OneJournal {
  /** Opens it, uses it and closes it. */
  readonly use: <A>(use: Use<A>) => Promise<A>
  readonly end: () => void
}

/** One kind of store. */
export interface EveryStore {
  readonly name: string
  /** Why there is none here; `undefined`: there is. */
  readonly absent?: string | undefined
  /** What all its journals need. */
  readonly begin?: () => Promise<void>
  readonly end?: () => Promise<void>
  readonly make: () => OneJournal
}

const withJournal = <A>(store: Layer.Layer<JournalStore>, use: Use<A>): Effect.Effect<A, unknown> =>
  Effect.provide(Effect.flatMap(Journal, use), Journal.layer.pipe(Layer.provide(store)))

/** In a directory of its own, with the store that `layerIn` makes there. */
const inDirectory = (layerIn: (directory: string) => Layer.Layer<JournalStore>): OneJournal => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-journal-"))
  return {
    use: (use) => Effect.runPromise(withJournal(layerIn(directory), use)),
    end: () => rmSync(directory, { recursive: true, force: true })
  }
}

const sqlite: EveryStore = {
  name: "SQLite",
  make: () => inDirectory((directory) => layerSqlite({ directory, key: testKey }))
}

const memory: EveryStore = {
  name: "memory",
  make: () => {
    let store = new MemoryStore({ schedule: (_, run) => queueMicrotask(run) })
    return {
      use: async (use) => {
        const used = await Effect.runPromise(withJournal(store.layer, use))
        store = store.crash()
        return used
      },
      end: () => undefined
    }
  }
}

const postgres = (): EveryStore => {
  let server: RealPostgres | undefined
  let count = 0
  return {
    name: "PostgreSQL",
    absent: whyNoPostgres(),
    begin: async () => {
      server = await RealPostgres.begin()
    },
    end: async () => server?.end(),
    make: () => {
      const place = placeOf(server!.url(), `switch-${++count}`)
      return inDirectory((directory) => layerPostgres({ place, directory, key: testKey }))
    }
  }
}

const worlds: EveryStore = {
  name: "the PostgreSQL of the deterministic world",
  make: () => {
    const world = new World({ seed: 1, startsAt: Date.UTC(2026, 2, 2), keepTrace: false })
    const net = new SimNet(world, {
      ...{ latencyMs: [0.1, 1], splits: 0, joins: 0, kernelRoom: 16_384, resetLosesInFlight: 0 }
    })
    const server = new SimPostgres(world, net, { commitMs: [1, 2] })
    const node = new Machine(world, "node")
    net.attach(node)
    const keyring = new Keyring([testKey])
    const kept = new KeptGroups(keyring)
    const directory = mkdtempSync(join(tmpdir(), "jinka-journal-"))
    const place: PostgresPlace = {
      address: { hosts: [], user: "jinka", password: undefined, database: "jinka" },
      ...{ tls: undefined, schema: "jinka", name: "switch", node: "node" }
    }
    return {
      use: async <A>(use: Use<A>) => {
        const life = node.begin()
        net.transport(life)
        const nothing = () => undefined
        const store = fleetStore({
          ...{ server, life, place, directory, keyring, kept, yieldAfterMs: Number.POSITIVE_INFINITY },
          ...{ isOurs: () => true, onOpen: nothing, onDurable: nothing, onAway: nothing }
        })
        const connecting = Effect.provideService(withJournal(store, use), Connecting, connectTo(server, life))
        const exit = world.run(connecting)
        if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
        node.crash("process")
        return exit.value
      },
      end: () => rmSync(directory, { recursive: true, force: true })
    }
  }
}

/** All of them. */
export const everyStore: ReadonlyArray<EveryStore> = [sqlite, postgres(), memory, worlds]
