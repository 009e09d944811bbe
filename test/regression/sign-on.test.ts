import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("sign-on")
