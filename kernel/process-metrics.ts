import { monitorEventLoopDelay } from 'node:perf_hooks';
import { counter, type Family, gauge } from './metrics.ts';

/** What every service says of its process, under the names that dashboards for Node know. */

const resolutionMs = 20;

/**
 * `service` and `version` tell which program of which release answers. The event loop is watched from the first scrape on,
 * because watching costs a timer and half a megabyte: a service that nobody scrapes pays nothing.
 */
export const processMetrics = (service: string, version: string): (() => Family[]) => {
  let delay: ReturnType<typeof monitorEventLoopDelay> | undefined;
  const startedAt = Date.now() / 1000 - process.uptime();

  /** Since the last scrape. What is measured is the time between two ticks, one of which is meant. */
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
      gauge('branchline_build_info', 'Which program of which release this is.', [
        { labels: { service, version, node: process.versions.node }, value: 1 },
      ]),
      counter('process_cpu_seconds_total', 'CPU time of the process.', (user + system) / 1e6),
      gauge('process_resident_memory_bytes', 'Memory of the process.', process.memoryUsage.rss()),
      gauge('process_start_time_seconds', 'When the process started, since 1970.', startedAt),
      gauge(
        'nodejs_eventloop_lag_p99_seconds',
        'How late the event loop was in one of a hundred cases, since the last scrape.',
        lagSeconds(),
      ),
    ];
  };
};
