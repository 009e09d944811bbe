/**
 * What a start has to find, however long ago it was first said: business days, what is in doubt, by which STANs partners know
 * what they were sent. Each is journalled again once it lies far behind, so that no start has to read back to where it began.
 */

/** Entries behind the last one. */
const SAID_AGAIN_AFTER = 15_000

/** Whether what entry `seq` said has to be said again, where `last` is the last one. */
export const isFarBehind = (seq: number, last: number): boolean => seq <= last - SAID_AGAIN_AFTER
