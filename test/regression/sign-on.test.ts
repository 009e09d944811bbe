/** Sign-on, sign-off, echo and the other network management messages of a link. */
import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("sign-on")
