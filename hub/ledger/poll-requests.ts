import type { Stream } from '@branchline/contracts/ids.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { repeatEvery } from '@branchline/kernel/repeat-every.ts';
import type { ControlWriter } from './agents/control.ts';
import { settleReplays, takeDueReplays } from './agents/replays.ts';
import { type Reapply, reapplyOne, settleGivenBack } from './books/reapply.ts';
import { createCountVoids } from './books/stock/count-voids.ts';

/**
 * Serves requests that people make on the dashboard or the command line: replaying an agent's events, re-applying
 * quarantined ones, and voiding counts. A request is a row; every hub polls for rows, and one of them claims each.
 */
const everyMs = 1_000;

export const pollRequests = (ports: {
  reapply: Reapply;
  control: ControlWriter;
  topicOf(stream: Stream): string;
  /** These sources may need a mark. */
  onApplied(sourceIds: number[]): void;
  log: Log;
}) => {
  const { pool } = ports.reapply;

  const replay = async () => {
    await ports.control.send(await takeDueReplays(pool));
    await settleReplays(pool, ports.topicOf);
  };
  const reapply = async () => {
    for (;;) {
      const settled = await reapplyOne(ports.reapply);
      if (settled === undefined) break;
      if (settled.sourceId !== null) ports.onApplied([settled.sourceId]);
    }
    await settleGivenBack(pool);
  };

  const voidCounts = createCountVoids({ pool, clock: systemClock, log: ports.log });

  const loops = [
    repeatEvery(everyMs, 'sending replay requests', replay, ports.log),
    repeatEvery(everyMs, 're-applying quarantined events', reapply, ports.log),
    repeatEvery(everyMs, 'voiding and restoring counts', voidCounts, ports.log),
  ];
  return {
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
};
