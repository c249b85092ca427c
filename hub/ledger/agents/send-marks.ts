import type { Log } from '@branchline/kernel/log.ts';
import type { AddressedControl } from './control.ts';

/**
 * Collects the sources that changed and sends each its mark, at most twice a second: an agent needs the latest mark, not one
 * per slice. Those of large chains go in several batches. A mark that cannot be sent is read again with the next ones.
 */
const sendEveryMs = 500;
/** One query and one message to Kafka. */
const batchMax = 500;
/** In each half second; the rest waits for the next one, those touched first before the others. */
const batchesMax = 10;

export const sendMarks = (ports: {
  read(sourceIds: number[]): Promise<AddressedControl[]>;
  send(marks: AddressedControl[]): Promise<void>;
  log: Log;
}) => {
  /** In the order in which they were touched. */
  const touched = new Set<number>();
  let running: Promise<void> | undefined;

  const sendBatch = async (): Promise<boolean> => {
    const now = [...touched.keys().take(batchMax)];
    for (const id of now) touched.delete(id);
    try {
      const marks = await ports.read(now);
      if (marks.length > 0) await ports.send(marks);
      return true;
    } catch (error) {
      ports.log.warn({ err: error }, 'applied marks were not sent; retrying');
      for (const id of now) touched.add(id);
      return false;
    }
  };

  /** What is touched meanwhile waits for the next half second. */
  const flush = async () => {
    const batches = Math.min(batchesMax, Math.ceil(touched.size / batchMax));
    for (let i = 0; i < batches; i++) if (!(await sendBatch())) return;
  };
  const timer = setInterval(() => {
    running ??= flush().finally(() => {
      running = undefined;
    });
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
