/**
 * `npm run bench`: every figure that the documentation states, each beside its baseline of the same run.
 *
 *     npm run bench                     all of them, some ten minutes
 *     npm run bench -- relay codec      only these
 *
 * Prints a table for each, and at the end one line of JSON. Figures of a shared machine spread by 10 to 40 percent:
 * compare ratios.
 */
import * as Codec from "./codec.ts"
import * as Exchange from "./exchange.ts"
import * as Fleet from "./fleet.ts"
import * as Hsm from "./hsm.ts"
import * as Journal from "./journal.ts"
import * as Keys from "./keys.ts"
import * as Links from "./links.ts"
import * as Load from "./load.ts"
import * as Memory from "./memory.ts"
import * as Neighbour from "./neighbour.ts"
import * as Reading from "./reading.ts"
import * as Recovery from "./recovery.ts"
import * as Relay from "./relay.ts"
import * as Reload from "./reload.ts"
import * as Standby from "./standby.ts"
import * as Stored from "./stored.ts"
import * as Takeover from "./takeover.ts"
import * as Units from "./units.ts"

const benches: { readonly [name: string]: () => Promise<{ readonly text: string; readonly rows: unknown }> } = {
  codec: async () => {
    const rows = await Codec.run()
    return { text: Codec.report(rows), rows }
  },
  fleet: async () => {
    const figures = await Fleet.run()
    return { text: Fleet.report(figures), rows: figures }
  },
  hsm: async () => {
    const rows = await Hsm.run()
    return { text: Hsm.report(rows), rows }
  },
  exchange: async () => {
    const rows = await Exchange.run()
    return { text: Exchange.report(rows), rows }
  },
  journal: async () => {
    const rows = await Journal.run()
    return { text: Journal.report(rows), rows }
  },
  relay: async () => {
    const rows = await Relay.run()
    return { text: Relay.report(rows), rows }
  },
  keys: async () => {
    const rows = await Keys.run()
    return { text: Keys.report(rows), rows }
  },
  links: async () => {
    const rows = await Links.run()
    return { text: Links.report(rows), rows }
  },
  load: async () => {
    const rows = await Load.run()
    return { text: Load.report(rows), rows }
  },
  stored: async () => {
    const rows = await Stored.run()
    return { text: Stored.report(rows), rows }
  },
  standby: async () => {
    const figures = await Standby.run()
    return { text: Standby.report(figures), rows: figures }
  },
  units: async () => {
    const figures = await Units.run()
    return { text: Units.report(figures), rows: figures }
  },
  takeover: async () => {
    const rows = await Takeover.run()
    return { text: Takeover.report(rows), rows }
  },
  memory: async () => {
    const rows = await Memory.run()
    return { text: Memory.report(rows), rows }
  },
  neighbour: async () => {
    const rows = await Neighbour.run()
    return { text: Neighbour.report(rows), rows }
  },
  reading: async () => {
    const rows = await Reading.run()
    return { text: Reading.report(rows), rows }
  },
  reload: async () => {
    const rows = await Reload.run()
    return { text: Reload.report(rows), rows }
  },
  recovery: async () => {
    const rows = await Recovery.run()
    return { text: Recovery.report(rows), rows }
  }
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => benches[name] === undefined)
if (unknown.length > 0) {
  console.error(`No bench of that name: ${unknown.join(", ")}. There are: ${Object.keys(benches).join(", ")}.`)
  process.exit(2)
}
const results: Record<string, unknown> = {}
for (const name of wanted.length > 0 ? wanted : Object.keys(benches)) {
  console.log(`\n${name}`)
  const { text, rows } = await benches[name]!()
  console.log(text)
  results[name] = rows
}
console.log(JSON.stringify(results))
