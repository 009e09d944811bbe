/** Why a person does something, as it travels and as it is in the journal. */
import { Schema } from "effect"

/** 1 to 120 ASCII characters (printable ASCII), without a run of 8 digits: no card number is in an event. */
export const Reason = Schema.String.check(Schema.isPattern(/^(?!.*\d{8})[ -~]{1,120}$/))
