import type { Stream } from '@branchline/contracts/ids.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { repeatEvery } from '@branchline/kernel/repeat-every.ts';
import type { ControlWriter } from './agents/control.ts';
import { settleReplays, takeDueReplays } from './agents/replays.ts';
import { type Reapply, reapplyOne, settleGivenBack } from './books/reapply.ts';

/**
 * What people ask of the ledger, on the dashboard or the command line: replays of an agent's events, and to apply again
 * what is in quarantine. They write a row; every hub looks for such rows, and one of them takes each.
 */
const everyMs = 1_000;

export const answerRequests = (ports: {
  reapply: Reapply;
  control: ControlWriter;
  topicOf(stream: Stream): string;
  /** The source may want a mark. */
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

  const loops = [
    repeatEvery(everyMs, 'sending replay requests', replay, ports.log),
    repeatEvery(everyMs, 'applying quarantined events again', reapply, ports.log),
  ];
  return {
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
};
