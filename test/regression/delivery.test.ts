import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("delivery")
