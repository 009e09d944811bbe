/** How often a property is tried. What it draws, fast-check prints when it fails. */

/** JINKA_LAB=long: each property ten times as often, and all combinations where each pair is usual. */
export const isLong = process.env["JINKA_LAB"] === "long"

/** So often, or ten times with JINKA_LAB=long. */
export const runs = (usual: number): { readonly numRuns: number } => ({ numRuns: isLong ? 10 * usual : usual })
