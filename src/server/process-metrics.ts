import { Counter, Gauge, type Registry } from 'prom-client';

/** The first scrape of an event loop that never waited tells nothing, and a process is its own: the standard names. */
export function addProcessMetrics(registers: readonly Registry[]): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    void new Gauge({
      name,
      help,
      registers: [...registers],
      collect() {
        this.set(read());
      },
    });
  };
  gauge('process_resident_memory_bytes', 'Memory of the process.', () => process.memoryUsage.rss());
  gauge('nodejs_heap_size_used_bytes', 'Of that, used by JavaScript.', () => process.memoryUsage().heapUsed);
  gauge('nodejs_external_memory_bytes', 'Of that, buffers outside the heap.', () => process.memoryUsage().external);
  const startedAt = Date.now() / 1_000 - process.uptime();
  gauge('process_start_time_seconds', 'When the process began, in seconds since the epoch.', () => startedAt);
  void new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process.',
    registers: [...registers],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1_000_000);
    },
  });
}
