/** Codecs with a defect that one message meets. */
import { type Codec, compile, cups, derive, type Message, type MessageIndex } from "@jinka/codec"

/** A card number that must not be seen. */
export const pan = "6200000000000005"
/** The STAN of a message that meets a defect. */
export const poison = "666666"

/** A codec with a defect: `call` throws when the message has the STAN 666666, and the words of the error hold its card number. */
export const defective = (
  call: "matchKey" | "patch" | "redact",
  make: () => Error = () => new TypeError(pan)
): Codec => {
  const codec = compile(cups)
  return new Proxy(codec, {
    get: (target, name) => {
      const found = Reflect.get(target, name)
      if (name !== call || typeof found !== "function") return found
      return (index: MessageIndex, ...more: ReadonlyArray<unknown>) => {
        if (index.has(11) && index.text(11) === poison) throw make()
        return Reflect.apply(found, target, [index, ...more])
      }
    }
  })
}

/** The same of a dialect in which the message is written anew: `encode` throws. */
export const defectiveWriter = (): Codec => {
  const codec = compile(derive(cups, { name: "another" }))
  const encode: Codec["encode"] = (message: Message) => {
    if (message.fields[11] === poison) throw new TypeError(pan)
    return codec.encode(message)
  }
  return { ...codec, encode }
}
