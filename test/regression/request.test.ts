/** Requests: their way to the issuer and back, and every way in which that can go wrong. */
import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("request")
