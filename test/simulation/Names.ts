/** Names of machines that more than one part of the world knows. */

/** What partners dial: the machine that runs what is under test, or those of its nodes. */
export const switchName = "switch"
