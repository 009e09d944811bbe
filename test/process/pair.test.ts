/** Two switches behind one address: the one that has it is stopped under load, and partners go on with the other. */
import { connect, createServer, type Server, type Socket } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { answerTo, Line, purchase, text, until } from "../switch/operate/Line.ts"
import { cleanUp, configuration, folder, type RunningSwitch, runSwitchProcess } from "../switch/operate/program.ts"
import { ready } from "../switch/operate/reloading.ts"

let address: Server | undefined
afterEach(() => {
  address?.close()
  cleanUp()
})

const node = () =>
  runSwitchProcess(
    configuration(folder(), (yaml) =>
      yaml.replace("requestTimeout:", "admin: { listen: { port: 0 } }\nrequestTimeout:")
    )
  )

const isReady = async ({ ready: { admin } }: RunningSwitch): Promise<boolean> =>
  fetch(`http://127.0.0.1:${admin!.port}/ready`).then(
    ({ ok }) => ok,
    () => false
  )

/** What keepalived does with a VIP: new connections find the first node that is ready; those that are there stay. */
const vip = async (nodes: ReadonlyArray<RunningSwitch>): Promise<number> => {
  address = createServer({ allowHalfOpen: true }, (partner: Socket) => {
    partner.on("error", () => undefined)
    void (async () => {
      for (const one of nodes) {
        if (!(await isReady(one))) continue
        const way = connect({ port: one.port("acquirer"), host: "127.0.0.1", allowHalfOpen: true })
        way.on("error", () => partner.destroy())
        partner.pipe(way)
        return way.pipe(partner)
      }
      return partner.destroy()
    })()
  })
  await new Promise<void>((resolve) => address!.listen(0, "127.0.0.1", resolve))
  return (address.address() as { port: number }).port
}

describe("A pair behind one address", () => {
  it("is restarted node by node: each request has one answer, and the partner that comes again finds the other node", async () => {
    const [first, second] = await Promise.all([node(), node()])
    for (const one of [first, second]) {
      const issuer = await Line.connect(one.port("issuer"))
      issuer.onMessage = (message) => {
        if (!message.mti.endsWith("10") && !message.mti.endsWith("30")) issuer.send(answerTo(message))
      }
    }
    for (const one of [first, second]) await ready(one, "issuer")
    const port = await vip([first, second])
    const answers = new Map<number, Array<string>>()
    let sent = 0
    let line = await Line.connect(port)
    const listen = () => {
      line.onMessage = (message) => {
        if (message.mti !== "0210") return line.send(answerTo(message))
        const stan = Number(text(message, 11))
        answers.set(stan, [...(answers.get(stan) ?? []), text(message, 39)])
      }
    }
    const load = async (until: () => boolean) => {
      while (!until()) {
        line.send(purchase(++sent, "6212340000000000003"))
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }
    listen()

    await load(() => answers.size >= 50)
    let isOver = false
    void line.ended.then(() => {
      isOver = true
    })
    first.signal("SIGTERM")
    await load(() => isOver)
    const lastThere = sent
    const stopped = await first.ended
    line.close()
    line = await Line.connect(port)
    listen()
    await load(() => [...answers.keys()].filter((stan) => stan > lastThere).length >= 50)
    await until(
      () => [...answers.keys()].filter((stan) => stan > lastThere).length === sent - lastThere,
      "all are answered"
    )
    await second.stop()

    const counts: Record<string, number> = {}
    for (const [code] of answers.values()) counts[code!] = (counts[code!] ?? 0) + 1
    expect(stopped.code).toBe(0)
    expect(stopped.lines.at(-1)).toMatchObject({ event: "stopped", unfinished: [] })
    expect([...answers.values()].filter(({ length }) => length !== 1)).toEqual([])
    // What comes while the first node drains is refused at once, and never lost; what comes after its end has no connection.
    expect(Object.keys(counts).filter((code) => code !== "00" && code !== "91")).toEqual([])
    expect([...answers].filter(([stan, [code]]) => stan > lastThere && code !== "00")).toEqual([])
  })
})
