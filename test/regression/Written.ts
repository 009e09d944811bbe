/** Dialogues that the tests of the runner write themselves. */
import { Effect } from "effect"
import { readDialogues, usualRun } from "../../packages/simulator/src/dialogue/index.ts"
import { patience } from "../Pace.ts"

/** A sign-on and a purchase, for dialogues to send. */
export const messages = `
sign-on: { mti: 0820, 7: "{now:MMDDhhmmss}", 11: "{stan}", 33: "48020000", 70: 001 }
purchase:
  mti: 0200
  2: "6200000000000005"
  3: "000000"
  4: "000000012300"
  7: "{now:MMDDhhmmss}"
  11: "{stan}"
  32: "48020000"
  33: "48020000"
  35: "6200000000000005=30122010000000000000"
  52: "A1B2C3D4E5F60718"
`

/** The usual run, in which what a step waits for may take as long as this machine needs. */
export const patientRun = {
  ...usualRun,
  get withinMs() {
    return patience(1500)
  }
}

/** The lines of a dialogue above its steps, which begin in line 6. */
export const head = (partners = "{ A: connects to target }") =>
  `rule: The rule under test.\nsource: a clause\nmessages: messages.yaml\npartners: ${partners}\nsteps:\n`

/** Reads the first dialogue of a file. */
export const readDialogue = (...of: Parameters<typeof readDialogues>) =>
  Effect.map(readDialogues(...of), ([first]) => first!)

/** Reads a dialogue that names these messages. */
export const read = (text: string) =>
  readDialogue("/dialogue.yaml", {
    file: "dialogue.yaml",
    readText: (path) => (path.endsWith("messages.yaml") ? messages : text)
  })
