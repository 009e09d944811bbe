import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("message")
