import type { Log } from '@branchline/kernel/log.ts';
import type { AddressedControl } from './control.ts';

/**
 * Collects the sources that changed and sends each its mark, at most twice a second: an agent needs the latest mark, not one
 * per slice. A mark that cannot be sent is read again with the next ones.
 */
const sendEveryMs = 500;
const sourcesPerSendMax = 500;

export const sendMarks = (ports: {
  read(sourceIds: number[]): Promise<AddressedControl[]>;
  send(marks: AddressedControl[]): Promise<void>;
  log: Log;
}) => {
  let touched = new Set<number>();
  let running: Promise<void> = Promise.resolve();

  const flush = async () => {
    const ids = [...touched];
    touched = new Set(ids.slice(sourcesPerSendMax));
    const now = ids.slice(0, sourcesPerSendMax);
    if (now.length === 0) return;
    try {
      const marks = await ports.read(now);
      if (marks.length > 0) await ports.send(marks);
    } catch (error) {
      ports.log.warn({ err: error }, 'applied marks were not sent; retrying');
      for (const id of now) touched.add(id);
    }
  };
  const timer = setInterval(() => {
    running = running.then(flush);
  }, sendEveryMs);

  return {
    touch: (sourceIds: number[]) => {
      for (const id of sourceIds) touched.add(id);
    },
    stop: async () => {
      clearInterval(timer);
      await running;
      await flush();
    },
  };
};
