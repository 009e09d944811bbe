/** Advices, reversals and notices: accepted once, delivered until they are acknowledged. */
import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("edition-1993")
