/** Keys in the journal that the security module of the configuration cannot use, because another kind of module wrote them. */
import { Data } from "effect"

/**
 * The switch does not start: each message under such a key would be refused, one by one, and nobody would know why. Nothing of
 * the keys is in it but the names of their slots.
 */
export class KeysElsewhere extends Data.TaggedError("KeysElsewhere")<{
  /** `centre: mac/both, kek/both`. */
  readonly slots: ReadonlyArray<string>
  /** What the configuration has. */
  readonly module: "software" | "hsm"
}> {
  override get message() {
    const [now, before] =
      this.module === "hsm"
        ? ["`security.hsm`", "the software module (`security.software`) or devices of another family"]
        : ["`security.software`", "devices (`security.hsm`)"]
    return `The journal holds keys that ${now} cannot read; ${before} wrote them: ${this.slots.join("; ")}. Start once more with that module and take them out of use (\`jinka key retire\`). Then change the module, bring the partners' key-encryption keys to it (\`jinka key import\`), and ask for new keys (\`jinka key ask\`).`
  }
}
