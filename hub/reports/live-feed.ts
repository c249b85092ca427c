import { randomUUID } from 'node:crypto';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type { FleetView, FleetViews } from './fleet-view.ts';
import type { LiveChanges } from './live-changes.ts';

/**
 * One poll of the books serves all open pages, and nobody polls while no page is open. Changes carry the number of the
 * poll that found them; a page gets what changed since the poll it saw last. A page that reads slowly therefore misses
 * messages but never a change, and nothing queues up for it.
 */
export type LiveClient = {
  /** Id of the last event it saw, when it comes back. */
  seen: string | undefined;
  isBusy(): boolean;
  send(text: string): void;
};

export type LiveFeed = {
  join(client: LiveClient): () => void;
  clients(): number;
  stop(): Promise<void>;
};

/** At most two messages a second. */
const pollEveryMs = 500;
const pauseMsMin = 50;
/** Without changes a page still hears this often that its figures are current. */
const silenceMsMax = 5_000;

type Joined = LiveClient & { poll: number; sentAt: number };

/** The open pages, and the last poll that each has seen. */
const createAudience = (changes: LiveChanges, clock: Clock) => {
  const run = randomUUID().slice(0, 8);
  const joined = new Set<Joined>();
  let poll = 0;
  return {
    size: (): number => joined.size,
    /** Returns how to leave. */
    join: (client: LiveClient): (() => void) => {
      const [of, seen] = client.seen?.split('-') ?? [];
      // Polls are numbered within one run of the process; a page that saw another run's gets everything.
      const known = of === run && Number(seen) <= poll ? Number(seen) : 0;
      const one: Joined = { ...client, poll: known, sentAt: Number.NEGATIVE_INFINITY };
      joined.add(one);
      return () => joined.delete(one);
    },
    pollNow: async (view: FleetView): Promise<void> => {
      await changes.poll(view, poll + 1);
      poll += 1;
    },
    deliver: (): void => {
      const texts = new Map<number, string>();
      const now = clock.monotonic();
      for (const client of joined) {
        if (client.isBusy()) continue;
        if (!changes.changedSince(client.poll) && now - client.sentAt < silenceMsMax) continue;
        let text = texts.get(client.poll);
        if (text === undefined) {
          const pulse = changes.pulseSince(client.poll);
          if (pulse === undefined) return;
          text = `id: ${run}-${poll}\nevent: pulse\ndata: ${JSON.stringify(pulse)}\n\n`;
          texts.set(client.poll, text);
        }
        client.send(text);
        client.poll = poll;
        client.sentAt = now;
      }
    },
  };
};

export type LiveFeedPorts = { views: FleetViews; changes: LiveChanges; clock: Clock; log: Log };

export const feedLive = ({ views, changes, clock, log }: LiveFeedPorts): LiveFeed => {
  const audience = createAudience(changes, clock);
  let timer: NodeJS.Timeout | undefined;
  let polling: Promise<void> | undefined;
  let stopped = false;

  const cycle = async () => {
    const startedAt = clock.monotonic();
    try {
      await audience.pollNow(await views.fresh());
      audience.deliver();
    } catch (error) {
      log.debug({ err: error }, 'the books could not be polled; pages wait');
    }
    if (!stopped && audience.size() > 0)
      timer = setTimeout(begin, Math.max(pauseMsMin, pollEveryMs - (clock.monotonic() - startedAt)));
  };
  const begin = () => {
    timer = undefined;
    polling = cycle().finally(() => {
      polling = undefined;
    });
  };
  const pause = () => {
    clearTimeout(timer);
    timer = undefined;
  };

  return {
    join: (client) => {
      const leave = audience.join(client);
      if (timer === undefined && polling === undefined && !stopped) begin();
      return () => {
        leave();
        if (audience.size() === 0) pause();
      };
    },
    clients: audience.size,
    stop: async () => {
      stopped = true;
      pause();
      await polling;
    },
  };
};
