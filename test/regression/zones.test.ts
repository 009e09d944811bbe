/** Zones: what becomes of MACs and PIN blocks, right, wrong and missing ones, between two partners with keys of their own. */
import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("zones")
