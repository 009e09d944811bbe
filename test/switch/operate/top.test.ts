import { afterEach, describe, expect, it } from "vitest"
import type { StatusReport } from "../../../packages/switch/src/operate/control/Report.ts"
import { statusText } from "../../../packages/switch/src/operate/control/StatusText.ts"
import { topText } from "../../../packages/switch/src/operate/control/TopText.ts"
import { changes } from "../../../packages/switch/src/operate/control/WatchText.ts"
import { answerTo, Line, until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitch } from "./program.ts"
import { purchase } from "./swiped.ts"

afterEach(cleanUp)

/** Reports of a running switch: both links up, then one transaction later, then without the issuer. */
const reports = async (): Promise<readonly [StatusReport, StatusReport, StatusReport]> => {
  const running = await runSwitch(configuration(folder()))
  const acquirer = await Line.connect(running.port("acquirer"))
  const issuer = await Line.connect(running.port("issuer"))
  await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
  const first = await running.status()
  acquirer.send(purchase(7))
  issuer.send(answerTo(await issuer.next(), "00"))
  await acquirer.next()
  const second = await running.status()
  issuer.close()
  await until(
    async () => (await running.status()).links.every(({ name, ready }) => name !== "issuer" || !ready),
    "the issuer is down"
  )
  const third = await running.status()
  await running.stop()
  return [first, second, third]
}

describe("jinka top and jinka watch", () => {
  it("show what flows on 80 columns, links that need somebody first, and each change in a line", async () => {
    const [first, second, third] = await reports()

    const flowing = topText(first, second, 40).split("\n")
    const broken = topText(second, third, 40).split("\n")
    const few = topText(first, second, 6).split("\n")

    expect(flowing[0]).toContain("links 2/2")
    expect(flowing.find((line) => line.startsWith("issuer"))).toMatch(/ready .* 100% /)
    expect(broken[4]).toMatch(/^issuer/)
    expect([...flowing, ...broken].filter((line) => line.length > 80)).toEqual([])
    expect(few.at(-1)).toBe("and 1 more link")
    expect(changes(first, second)).toEqual([])
    expect(changes(second, third).join("\n")).toMatch(
      /^issuer {2}connection ended by partner, FIN: .*\nissuer {2}ready -> /
    )
    expect(changes(third, second).join("\n")).toContain("issuer  down -> ready")
    expect(changes(second, { ...third, fullBy: "disk", defects: 2, inDoubt: 1 })).toEqual(
      expect.arrayContaining([
        "! new requests are refused on every link: no room (disk)",
        "! 2 messages given up because of a defect of the switch: see its log"
      ])
    )
    const alarm = { kind: "macFailures", link: "issuer", says: "3 wrong", since: 0, silenced: false }
    const alarmed = { ...second, links: second.links.map((link) => ({ ...link, alarms: [alarm] })) }
    const quiet = {
      ...second,
      links: second.links.map((link) => ({ ...link, alarms: [{ ...alarm, silenced: true }] }))
    }
    expect(changes(second, alarmed)).toContain("issuer  ! alarm macFailures: 3 wrong")
    expect(changes(alarmed, second)).toContain("issuer  alarm macFailures is over")
    expect(changes(second, quiet)).toEqual([])
    expect(topText(second, alarmed, 24)).toContain("!macFailures")
    expect(topText(second, quiet, 24)).not.toContain("!macFailures")
    expect(statusText(alarmed)).toMatch(/ {4}! alarm macFailures for .*: 3 wrong/)
    expect(statusText(quiet)).toMatch(/ {4}! alarm macFailures for .*, silenced: 3 wrong/)
    expect(changes(second, { ...third, defects: 1 })).toContain(
      "! 1 message given up because of a defect of the switch: see its log"
    )
  })

  it("look at a switch that runs, as often as they are told, and say what is wrong with a pause", async () => {
    const file = configuration(folder())
    const running = await runSwitch(file)

    const top = await jinka(["top", file, "--times", "1", "--every", "100 millis"])
    const watch = await jinka(["watch", file, "--times", "1", "--every", "100 millis"])
    const wrong = await jinka(["top", file, "--every", "2"])
    await running.stop()
    const gone = await jinka(["top", file, "--times", "1"])

    expect(top).toMatchObject({ code: 0, err: "" })
    expect(top.out).toMatch(/^demo {2}\d\d:\d\d:\d\d {2}up .* links 0\/2/)
    expect(watch).toMatchObject({ code: 0, out: "", err: "" })
    expect([wrong.code, gone.code]).toEqual([2, 4])
    expect(wrong.err).toContain('write "2 seconds"')
  })
})
