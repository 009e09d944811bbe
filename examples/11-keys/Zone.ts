/**
 * One partner's end of a zone: its keys, the MACs that it makes and checks, and the key messages of CUPS. Nothing but
 * `@jinka/codec` is in it; a partner of your own can begin like this.
 */
import {
  CUPS_MAC_FIELD90_LENGTH,
  CupsMacBlock,
  cups,
  cupsMacFields,
  cupsManagementMacFields,
  decryptBlocks,
  encryptBlocks,
  isSecurityError,
  keyCheckMethods,
  keyCheckValue,
  type MacKey,
  type Message,
  macAlgorithms,
  makeMacKey,
  reveal,
  unionPayMacText
} from "@jinka/codec"

/** Length digits in front of a variable field that the MAC covers: two, for all of CUPS's list. */
const isVariable = (de: number): boolean => /\.\./.test(cups.fields[de]?.format ?? "")

const textOf = ({ fields, mti }: Message, covered: ReadonlyArray<number>): Buffer => {
  const block = new CupsMacBlock()
  for (const de of covered) {
    const value = de === 0 ? mti : fields[de]
    if (value === undefined) continue
    const whole = typeof value === "string" ? value : String(reveal(value))
    const text = de === 90 ? whole.slice(0, CUPS_MAC_FIELD90_LENGTH) : whole
    block.addText(de !== 0 && isVariable(de) ? `${String(whole.length).padStart(2, "0")}${text}` : text)
  }
  return Buffer.from(block.bytes())
}

const good = <A>(value: A): Exclude<A, { readonly _tag: string }> => {
  if (isSecurityError(value)) throw new Error(value.rule)
  return value as Exclude<A, { readonly _tag: string }>
}

/** The keys of one zone, at the partner. */
export class Zone {
  private readonly master: Buffer
  private mac: { readonly key: Buffer; readonly engine: MacKey } | undefined
  /** The one before: what is on its way may be under it. A real partner forgets it after its window. */
  private before: MacKey | undefined

  constructor(master: Buffer) {
    this.master = master
  }

  /** The check value of the MAC key in use. */
  get checkValue(): string {
    return this.mac === undefined ? "none" : checkValueOf(this.mac.key)
  }

  /** Uses a MAC key from now on. */
  use(key: Buffer): void {
    this.before = this.mac?.engine
    this.mac = { key, engine: good(makeMacKey(macAlgorithms["ansi-x9.19"], key)) }
  }

  /** The message with its MAC in DE 128. */
  sealed(message: Message, covered = cupsMacFields, engine = this.mac!.engine): Message {
    const mac = unionPayMacText(engine.compute(textOf(message, covered)))
    return { ...message, fields: { ...message.fields, 128: mac } }
  }

  /** Whether a message has the MAC that it should have. */
  proves({ fields: { 128: mac, ...fields }, ...message }: Message, covered = cupsMacFields): boolean {
    return [this.mac!.engine, this.before].some(
      (engine) => engine !== undefined && mac === this.sealed({ ...message, fields }, covered, engine).fields[128]
    )
  }

  /** The message in which a centre delivers `key`, with the MAC of that key. */
  delivery(key: Buffer, stan: string): Message {
    const wrapped = good(encryptBlocks("tdes", this.master, key)) as Buffer
    const fields = {
      7: "1122210411",
      11: stan,
      48: `NK${wrapped.toString("latin1")}`,
      53: "2600000000000000",
      70: "101",
      96: Buffer.alloc(8),
      100: "00010000"
    }
    const next = new Zone(this.master)
    next.use(key)
    return next.sealed(
      { header: { destination: "00010000", source: "48020000" }, mti: "0800", fields },
      cupsManagementMacFields
    )
  }

  /** The key that a message like {@link delivery} holds. */
  keyIn({ fields }: Message): Buffer {
    const value = fields[48]!
    const text = typeof value === "string" ? value : String(reveal(value as never))
    return good(decryptBlocks("tdes", this.master, Buffer.from(text.slice(2), "latin1"))) as Buffer
  }
}

/** The check value of a double-length DES key, as `jinka key list` shows it. */
export const checkValueOf = (key: Buffer): string =>
  (good(keyCheckValue("tdes", key, keyCheckMethods.legacy)) as Buffer).toString("hex").toUpperCase()
