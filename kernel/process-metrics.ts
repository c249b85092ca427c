import { monitorEventLoopDelay } from 'node:perf_hooks';
import { counter, type Family, gauge } from './metrics.ts';

/** Metrics of the process that every service has, under the names that dashboards for Node know. */

const resolutionMs = 20;

/**
 * The event loop is watched from the first scrape on, because that costs a timer and half a megabyte: a service that nobody
 * scrapes pays nothing.
 */
export const processMetrics = (service: string, version: string): (() => Family[]) => {
  let delay: ReturnType<typeof monitorEventLoopDelay> | undefined;
  const startedAt = Date.now() / 1000 - process.uptime();

  /** Since the last scrape. The monitor measures the time between two ticks, so the tick itself is subtracted. */
  const lagSeconds = (): number => {
    const p99 = delay === undefined ? 0 : delay.percentile(99) / 1e9 - resolutionMs / 1000;
    if (delay === undefined) {
      delay = monitorEventLoopDelay({ resolution: resolutionMs });
      delay.enable();
    }
    delay.reset();
    return Math.max(0, p99);
  };

  return () => {
    const { user, system } = process.cpuUsage();
    return [
      gauge('branchline_build_info', 'The program, its release and the Node version.', [
        { labels: { service, version, node: process.versions.node }, value: 1 },
      ]),
      counter('process_cpu_seconds_total', 'CPU time of the process.', (user + system) / 1e6),
      gauge('process_resident_memory_bytes', 'Resident memory of the process.', process.memoryUsage.rss()),
      gauge('process_start_time_seconds', 'Start of the process, in seconds since 1970.', startedAt),
      gauge(
        'nodejs_eventloop_lag_p99_seconds',
        '99th percentile of the event loop delay since the last scrape.',
        lagSeconds(),
      ),
    ];
  };
};
