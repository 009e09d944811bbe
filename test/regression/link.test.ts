import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("link")
