/** Before all tests: builds what they start. While tests are watched, everything is what its source says now. */
import type { TestProject } from "vitest/node"
import { usePrograms } from "./Programs.ts"

export default ({ config }: TestProject): void => {
  if (!config.watch) usePrograms()
}
