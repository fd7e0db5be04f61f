import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

/** The version of this program, from the package that it was installed as. */
export function readPackageVersion(): string {
  // Beside the sources, or one folder above what was built of them.
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string })
        .version;
    } catch {
      // Not here.
    }
  }
  return 'unknown';
}

const nano = 1e9;
const micro = 1e6;

/**
 * Counts what the process itself uses, under the names that dashboards know from Prometheus's clients. Not by the
 * client's own list: that one cannot be stopped again, and begins to watch the collection of garbage with every provider
 * that is started in a process.
 */
export function collectProcessMetrics(metrics: Metrics): { stop(): void } {
  // A timer each 20 ms costs less than a thousandth of a core.
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  const seconds = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? nanoseconds / nano : 0);
  let usage = process.cpuUsage();
  let memory = process.memoryUsage();
  let lagSeconds: Record<string, number> = {};
  metrics.beforeReading(() => {
    usage = process.cpuUsage();
    memory = process.memoryUsage();
    lagSeconds = {
      mean: seconds(lag.mean),
      max: seconds(lag.max),
      p50: seconds(lag.percentile(50)),
      p99: seconds(lag.percentile(99)),
    };
    lag.reset();
    return Promise.resolve();
  });
  const cpu = (name: string, of: string, read: () => number) =>
    metrics.shows({
      name,
      help: `Processor time that this process used${of}, in seconds.`,
      grows: true,
      read,
    });
  cpu('process_cpu_user_seconds_total', ' for its own code', () => usage.user / micro);
  cpu('process_cpu_system_seconds_total', ' in the kernel', () => usage.system / micro);
  cpu('process_cpu_seconds_total', '', () => (usage.user + usage.system) / micro);
  const bytes = (name: string, help: string, read: () => number) => metrics.shows({ name, help, read });
  bytes('process_resident_memory_bytes', 'Memory of this process that is in use.', () => memory.rss);
  bytes('nodejs_heap_size_total_bytes', 'Memory taken for objects.', () => memory.heapTotal);
  bytes('nodejs_heap_size_used_bytes', 'Memory that objects use.', () => memory.heapUsed);
  bytes('nodejs_external_memory_bytes', 'Memory outside the heap that objects hold.', () => memory.external);
  metrics.shows({
    name: 'process_start_time_seconds',
    help: 'When this process began, in seconds since 1970.',
    together: 'max',
    read: () => Math.round(Date.now() / 1000 - process.uptime()),
  });
  for (const which of ['mean', 'max', 'p50', 'p99']) {
    metrics.shows({
      name: `nodejs_eventloop_lag_${which}_seconds`,
      help: `How late the event loop came to what was due since the last reading (${which}), 20 ms of its own clock included.`,
      together: 'max',
      read: () => lagSeconds[which],
    });
  }
  const version = readPackageVersion();
  metrics.shows({
    name: 'hemma_build_info',
    help: 'The program and what it runs on: 1 for each process.',
    labels: ['version', 'node'],
    read: () => [[{ version, node: process.version }, 1]],
  });
  return { stop: () => lag.disable() };
}
