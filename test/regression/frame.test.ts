import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("frame")
