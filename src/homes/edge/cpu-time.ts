import process from 'node:process';

/**
 * The time that the processor has spent on us, in ms; undefined where nobody tells. That of the thread, as several isolates share a
 * process; a runtime that does not know it tells that of the process, which is never less.
 */
export function cpuTimeMs(): number | undefined {
  const known = process as { threadCpuUsage?(): NodeJS.CpuUsage; cpuUsage?(): NodeJS.CpuUsage };
  for (const read of [() => known.threadCpuUsage?.(), () => known.cpuUsage?.()]) {
    try {
      const used = read();
      if (used !== undefined) return (used.user + used.system) / 1_000;
    } catch {
      // Named by the runtime and not made by it.
    }
  }
  return undefined;
}
