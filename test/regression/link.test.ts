/** Links: idle frames, the watchdog, second connections, reconnecting, draining. */
import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("link")
