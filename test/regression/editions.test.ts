/** Rules of links and exchanges in the other editions and encodings, against a switch. */
import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("editions")
