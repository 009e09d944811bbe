/** Messages that cannot be read, in frames that can. */
import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("message")
