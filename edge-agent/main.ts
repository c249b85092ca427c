import { randomUUID } from 'node:crypto';
import { extname, join } from 'node:path';
import { readCa } from '@branchline/kernel/broker-settings.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import { loadConfigOrExit } from '@branchline/kernel/config.ts';
import { runUntilStopped } from '@branchline/kernel/lifecycle.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { processMetrics } from '@branchline/kernel/process-metrics.ts';
import { systemRandom } from '@branchline/kernel/random.ts';
import { settingsProblems } from './check-settings.ts';
import { agentConfig } from './config.ts';
import { serveIntake } from './http/server.ts';
import { diskFreeBytes } from './io/disk-space.ts';
import { openUplink } from './io/mqtt-uplink.ts';
import { makePrivate } from './io/private-files.ts';
import { returnMemory } from './io/return-memory.ts';
import { openStore } from './io/store-thread.ts';
import packageJson from './package.json' with { type: 'json' };
import { runAgent } from './run.ts';

const usage = `edge-agent: accepts the events of one site, stores them on disk and sends them until the hub has applied them.

  node edge-agent/main.ts --site store-0001 --data-dir DIR --mqtt mqtt://broker:1883`;

const config = loadConfigOrExit(usage, agentConfig, settingsProblems);
const log = createLog('edge-agent', config.logLevel);
const { site, agent } = config;

const start = async () => {
  // New files are readable by this user only: the database, its WAL, and what is put aside.
  process.umask(0o077);
  for (const problem of makePrivate(config.dataDir)) log.warn({}, problem);
  const ca = readCa(config.mqttCa);
  return runAgent(
    {
      windowFrames: config.windowFrames,
      receiptTimeoutMs: config.receiptTimeoutMs,
      backoffCapMs: config.backoffCapMs,
      receiptSilenceMs: config.receiptSilenceMs,
      statusIntervalMs: config.statusIntervalMs,
      diskBudgetBytes: config.diskBudgetBytes,
      rules: {
        site,
        eventBytesMax: config.eventBytesMax,
        scaleLabels: config.scaleLabels ?? [],
      },
      session: {
        site,
        agent,
        id: randomUUID(),
        bootAt: systemClock.now(),
        agentVersion: packageJson.version,
      },
    },
    {
      openStore: (events) =>
        openStore(
          // The same extension as this file: .ts, or .mjs in a bundle.
          new URL(`./store-worker${extname(import.meta.url)}`, import.meta.url),
          {
            path: join(config.dataDir, 'events.db'),
            site,
            agent,
            diskBudgetBytes: config.diskBudgetBytes,
            archiveKeepMs: config.archiveKeepMinutes * 60_000,
            groupCommitMs: config.groupCommitMs,
          },
          events,
        ),
      openUplink: (handlers) =>
        openUplink(
          {
            site,
            agent,
            url: config.mqtt,
            username: config.mqttUsername,
            password: config.mqttPassword,
            ca,
          },
          handlers,
        ),
      serveIntake: (handlers) =>
        serveIntake(
          { host: config.intakeHost, port: config.intakePort, token: config.intakeToken },
          handlers,
        ),
      processMetrics: processMetrics('edge-agent', packageJson.version),
      diskFree: () => diskFreeBytes(config.dataDir),
      clock: systemClock,
      random: systemRandom,
      returnMemory,
      log,
      abort: () => process.exit(74),
    },
  );
};

await runUntilStopped(start, { log });
