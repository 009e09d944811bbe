/** Frames: lengths that are wrong, frames in pieces, frames that never end. */
import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("frame")
