import { expose, type Family } from '@branchline/kernel/metrics.ts';
import { createIdleCheck } from './core/idle.ts';
import type { IntakeRules } from './core/judge.ts';
import { createAgentMetrics } from './core/metrics.ts';
import { statusPage } from './core/status.ts';
import { watchDisk } from './disk-watch.ts';
import type { HttpIntake, HttpIntakeHandlers } from './http/server.ts';
import { createIntake } from './intake.ts';
import type { Store, StoreEvents } from './io/store-thread.ts';
import { type SendingPorts, type SendingSettings, startSending } from './sending.ts';

/** The agent on one screen: intake → accept → outbox → uplink, stopped in the same order. */

export type AgentPorts = Omit<SendingPorts, 'store' | 'figures'> & {
  openStore(events: StoreEvents): Promise<Store>;
  serveIntake(handlers: HttpIntakeHandlers): Promise<HttpIntake>;
  /** The metrics that every process has. */
  processMetrics(): Family[];
  /** Free bytes on the disk of the database; undefined where the system does not say. */
  diskFree(): Promise<number | undefined>;
  /** Called when the agent is idle after much work. */
  returnMemory(): void;
  /** The disk broke its durability guarantee: exit at once. */
  abort(): void;
};
export type AgentSettings = SendingSettings & { rules: IntakeRules; diskBudgetBytes: number };

const idleCheckEveryMs = 5_000;

export const runAgent = async (settings: AgentSettings, ports: AgentPorts) => {
  const { clock, log } = ports;
  const { session, rules } = settings;

  // accept
  const onStore = (message: Parameters<StoreEvents['onMessage']>[0]) => {
    switch (message.kind) {
      case 'committed':
        for (const source of message.highest) sending.advance({ kind: 'accepted', ...source });
        return;
      case 'frame':
        return sending.onFrame(message);
      case 'found':
        return void sending.advance({ kind: 'found', answer: message });
      case 'released':
      case 'epoch-removed':
        return void sending.advance(message);
      case 'figures':
        return disk.onFigures(message.figures);
      case 'damaged-row':
        return log.error(message, 'a stored event is damaged and is not sent');
      case 'put-aside':
        return log.error(
          message,
          'the database is damaged; a new one takes its place, what can be read follows',
        );
      case 'salvaged':
        return log.warn(message, 'what can be read of a damaged database has been taken over');
      case 'failed':
        return disk.onFailed(message.detail);
    }
  };
  const store = await ports.openStore({ onMessage: onStore });
  const disk = watchDisk(store.opened.figures, ports);

  // outbox → uplink
  const sending = startSending(settings, { ...ports, store, figures: disk.figures });

  // intake
  const intake = createIntake(rules, store, clock);
  const { counters, onEvents, failure } = intake;
  const status = async () =>
    statusPage(
      session,
      sending.sources(),
      await sending.oldest(),
      disk.figures(),
      counters,
      sending.counters(),
    );
  const metrics = createMetricsPage(settings, ports, { sending, disk, intake });
  const server = await ports.serveIntake({ onEvents, failure, status, metrics });
  const isIdle = createIdleCheck();
  const idleTimer = setInterval(() => isIdle(counters.events) && ports.returnMemory(), idleCheckEveryMs);
  log.info({ site: session.site, agent: session.agent, intake: server.url }, 'started');

  const stop = async (reason: string): Promise<void> => {
    log.info({ reason }, 'stopping');
    intake.stop();
    await server.close();
    clearInterval(idleTimer);
    await sending.stop();
    await store.close();
    if (disk.hasFailed()) return ports.abort();
    log.info({}, 'stopped');
  };
  return { url: server.url, stop };
};

type Stages = {
  sending: ReturnType<typeof startSending>;
  disk: ReturnType<typeof watchDisk>;
  intake: ReturnType<typeof createIntake>;
};

const createMetricsPage = (
  { diskBudgetBytes }: AgentSettings,
  { processMetrics, diskFree, clock }: AgentPorts,
  { sending, disk, intake: { counters, commitSeconds } }: Stages,
) => {
  const agentMetrics = createAgentMetrics({ sources: sending.sources(), figures: disk.figures() });
  return async (): Promise<string> =>
    expose([
      ...processMetrics(),
      ...agentMetrics({
        sources: sending.sources(),
        oldest: await sending.oldest(),
        figures: disk.figures(),
        intake: { ...counters, commitSeconds },
        sending: sending.counters(),
        diskFreeBytes: await diskFree(),
        diskBudgetBytes,
        now: clock.now(),
      }),
    ]);
};
