/**
 * CUPS messages on a TCP socket, with nothing but `@jinka/codec` and `node:net`: what the small partners of the examples are
 * made of. A partner of your own can begin like this.
 */
import type { Socket } from "node:net"
import {
  answerHeader,
  compile,
  cups,
  cups46,
  cupsFrame,
  Framer,
  isMessageError,
  type Message,
  mtiText,
  responseMti,
  wholeFrame
} from "@jinka/codec"

const codec = compile(cups)

/** Calls `each` for every message that comes on the socket; idle frames are dropped, as a partner should. */
export const onMessages = (socket: Socket, each: (message: Message) => void): void => {
  const framer = new Framer(cupsFrame)
  const take = (buffer: Buffer, start: number, end: number) => {
    const message = codec.decode(buffer, start, end)
    if (isMessageError(message)) throw new Error(`the switch sent what cannot be read: ${message._tag}`)
    each(message)
  }
  socket.on("data", (chunk) => framer.push(chunk, { frame: take, idle: () => undefined }))
}

/** Sends a message with its length header. */
export const send = (socket: Socket, message: Message): void => {
  const bytes = codec.encode(message)
  if (isMessageError(bytes)) throw new Error(`the example's message is wrong: ${bytes._tag}`)
  socket.write(wholeFrame(cupsFrame, bytes))
}

/** The approval of a request, an acknowledgement, or the answer to an echo: the request with the answer's MTI and DE 39 00. */
export const approvalOf = (message: Message): Message => ({
  header: answerHeader(cups46, message.header ?? {}),
  mti: mtiText(responseMti(Number(message.mti))),
  fields: { ...message.fields, 39: "00" }
})

/** A purchase of 12.30 from institution 48020000, with a STAN of its own. */
export const purchase = (stan: number): Message => ({
  header: { destination: "00010000", source: "48020000" },
  mti: "0200",
  fields: {
    2: "6219990000000005",
    3: "000000",
    4: "000000001230",
    7: "1122210411",
    11: String(stan).padStart(6, "0"),
    12: "210411",
    13: "1122",
    18: "5411",
    22: "021",
    25: "00",
    32: "48020000",
    33: "48020000",
    37: `RRN${String(stan).padStart(9, "0")}`,
    41: "T0000001",
    42: "M00000000000001",
    49: "156"
  }
})
