/** What a process of a bench has used. Apart from the switch, so that a baseline does not load it. */

/** What a process has used, for a parent that asks. */
export const usage = () => {
  const cpu = process.cpuUsage()
  const main = process.threadCpuUsage()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { cpuUs: cpu.user + cpu.system, mainUs: main.user + main.system, rss, heapUsed, external }
}
