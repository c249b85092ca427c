import type { BranchEvent } from '@branchline/contracts/parse.ts';
import { type Clock, systemClock } from '@branchline/kernel/clock.ts';
import { createAgentClient } from '../agent-client.ts';
import { type AgentAddress, type AgentCounts, readAgentCounts, sumOf } from '../agent-status.ts';
import { dueMs, type Speed } from './pace.ts';
import { type Progress, remainingOf, shareDone } from './progress.ts';
import type { Survey } from './survey.ts';

/** One verification while it runs: the clients of its agents, and how far the events have come. */
export type VerificationOptions = {
  agents: readonly AgentAddress[];
  speed?: Speed;
  clock?: Clock;
  /** After every poll and every accepted request. */
  onProgress?: (progress: Progress) => void;
};
export type Verification = ReturnType<typeof createVerification>;

export const createVerification = (
  survey: Survey,
  { agents, speed = 'max', clock = systemClock, onProgress }: VerificationOptions,
) => {
  const clients = new Map(agents.map((agent) => [agent.site, createAgentClient(agent)]));
  const counts = new Map<string, AgentCounts>();
  const startedAt = clock.monotonic();
  const paceMs = dueMs(speed, survey.firstAt, survey.lastAt);
  let fed = 0;

  const progress = (): Progress => {
    const sum = sumOf(counts.values());
    const elapsedMs = clock.monotonic() - startedAt;
    const share = shareDone({ total: survey.events, fed, applied: sum.applied });
    return {
      ...sum,
      total: survey.events,
      fed,
      elapsedMs,
      remainingMs: remainingOf(share, elapsedMs, paceMs),
    };
  };

  return {
    survey,
    progress,
    /** Changes whenever an agent accepts, records or applies something. */
    countsText: () => JSON.stringify([...counts.values()]),
    /** True when every agent answers and has applied all that it accepted. */
    poll: async (): Promise<boolean> => {
      const answers = await Promise.all(
        agents.map(async (agent) => [agent.site, await readAgentCounts(agent)] as const),
      );
      for (const [site, answer] of answers) if (answer !== undefined) counts.set(site, answer);
      onProgress?.(progress());
      return answers.every(([, answer]) => answer !== undefined && answer.applied >= answer.accepted);
    },
    send: async (site: string, events: readonly BranchEvent[], signal: AbortSignal): Promise<void> => {
      const client = clients.get(site);
      if (client === undefined) throw new Error(`no agent for ${site}`);
      await client.send(events, signal);
      fed += events.length;
      onProgress?.(progress());
    },
    repeated: () => [...clients.values()].reduce((sum, client) => sum + client.repeated(), 0),
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
};
