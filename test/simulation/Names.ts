/** Names of machines that more than one part of the world knows. */

/** What partners dial: the machine that runs what is under test, or those of its nodes. */
export const switchName = "switch"

/** Acquirers that call over HTTP dial the switch here. */
export const HTTP_PORT = 7060
