/** Routes by message type in the configuration. */
import { describe, expect, it } from "vitest"
import { configurationText } from "../../../packages/switch/src/operate/ConfigurationText.ts"
import { configurationOf, saidOf, sound } from "./checked.ts"

const withRoute = (route: string): string => `${sound}  - ${route}\n`

describe("A route by message type", () => {
  it("says which messages pass through, from whom and to whom", async () => {
    const text = withRoute('{ mti: ["0800", "0820"], from: acquirer, codes: ["101"], to: issuer }')
    const configuration = await configurationOf(text)

    expect(configuration.warnings).toEqual([])
    expect(configuration.settings.routes.at(-1)).toEqual({ mti: ["0800", "0820"], codes: ["101"], from: 0, to: 1 })
    expect(configurationText(configuration)).toContain("0800")
  })

  it("is refused with a type that answers or that nobody knows, and with keys that do not go together", async () => {
    const told = async (route: string) => (await saidOf(withRoute(route))).join("\n")

    expect(await told('{ mti: ["0810"], to: issuer }')).toContain("a message type of four digits that asks or tells")
    expect(await told('{ mti: ["82"], to: issuer }')).toContain("a message type of four digits")
    expect(await told('{ mti: ["0820"], bin: "62", to: issuer }')).toContain("exactly one of")
    expect(await told('{ bin: "62", from: acquirer, to: issuer }')).toContain("`from` goes with `mti`")
    expect(await told('{ mti: ["0820"], from: aquirer, to: issuer }')).toContain("Did you mean `acquirer`?")
  })
})
