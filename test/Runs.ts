/** How much a test tries: the short form of `npm test`, or the long one. What fast-check draws, it prints when a test fails. */

/** JINKA_LAB=long: more rounds, and all combinations where each pair is usual. */
export const isLong = process.env["JINKA_LAB"] === "long"

/** How often fast-check tries a property: so often, or ten times with JINKA_LAB=long. */
export const runs = (usual: number): { readonly numRuns: number } => ({ numRuns: isLong ? 10 * usual : usual })
