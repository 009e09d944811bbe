/** Whether this Node can run the program: an older one ends somewhere in the middle, without a word. Pure. */

/** The least version that runs it, as `engines` of the package says. */
const least = [22, 19] as const

/** What to say to whoever runs it with Node `version`; `undefined`: it is new enough. */
export const tooOld = (version: string): string | undefined => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  if (major > least[0] || (major === least[0] && minor >= least[1])) return undefined
  return `jinka: this is Node ${version}; Jinka needs Node ${least.join(".")} or later. Put that one first in the PATH, and install the package with it.`
}
