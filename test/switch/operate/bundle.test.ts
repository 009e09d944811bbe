import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { answerTo, Line, until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitch } from "./program.ts"
import { pan, purchase } from "./swiped.ts"

afterEach(cleanUp)

describe("jinka bundle", () => {
  it("writes down one link and one transaction for the partner, in two languages, without card data; a link's without other partners", async () => {
    const directory = folder()
    const file = configuration(directory)
    const running = await runSwitch(file)
    const acquirer = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    await until(async () => (await running.status()).links.every(({ ready }) => ready), "all links are ready")
    acquirer.send(purchase(7))
    issuer.send(answerTo(await issuer.next(), "51"))
    await acquirer.next()
    const to = join(directory, "case-12")

    const made = await jinka(["bundle", file, "--link", "issuer", "--stan", "7", "--to", to])
    const ofLink = await jinka(["bundle", file, "--link", "issuer", "--to", join(directory, "link")])
    const nothing = await jinka(["bundle", file, "--to", to])
    const unknown = await jinka(["bundle", file, "--link", "isuer", "--to", to])
    const absent = await jinka(["bundle", file, "--stan", "99", "--to", to])
    const nowhere = await jinka(["bundle", file, "--link", "issuer", "--to", "/proc/nowhere"])
    await running.stop()
    const down = join(directory, "down")
    const journalled = await jinka(["bundle", file, "--stan", "7", "--to", down])
    const linkDown = await jinka(["bundle", file, "--link", "issuer", "--to", down])
    const evidence = readFileSync(join(down, "evidence.md"), "utf8")
    const texts = readdirSync(to).map((name) => readFileSync(join(to, name), "utf8"))
    const linkAlone = readFileSync(join(directory, "link", "evidence.md"), "utf8")

    expect(made).toMatchObject({ code: 0, err: "" })
    expect(readdirSync(to).sort()).toEqual(["evidence.md", "link.json", "transaction.json"])
    expect(linkAlone).toContain("## Link 链路 issuer (01020000)")
    expect(linkAlone).not.toContain("acquirer")
    expect(texts.filter((text) => text.includes(pan))).toEqual([])
    expect([ofLink, nothing, unknown, absent, nowhere].map(({ code }) => code)).toEqual([0, 2, 2, 1, 2])
    expect(journalled).toMatchObject({ code: 0, err: "" })
    expect(readdirSync(down).sort()).toEqual(["evidence.md", "transaction.json"])
    expect(evidence).toContain("Switch 交换机 demo, at")
    expect(evidence).toContain("issuer answered 51")
    expect(evidence).toContain("read this before you send it to one of them")
    expect(evidence).not.toContain(pan)
    expect(linkDown.code).toBe(4)
    expect(linkDown.err).toContain("Without --link the evidence of a transaction comes from the journal.")
    expect(unknown.err).toContain("The links are: acquirer, issuer")
  })
})
