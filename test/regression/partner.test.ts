/** The rules that any partner's system should keep, with one partner and no switch between: kept by our own link too. */
import { dialoguesOf } from "./Dialogues.ts"

dialoguesOf("partner")
dialoguesOf("partner/second-refused")
dialoguesOf("partner/second-takes-over")
