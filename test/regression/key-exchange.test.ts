/** Keys that a centre delivers: taken, refused, repeated, two at once, over restarts and cuts. */
import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("key-exchange")
