import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { eventually } from './probe.ts';
import { commandOf, isAlive } from './process-table.ts';

/**
 * Who ran a component last. When a launcher is killed its components take some seconds to end, and a new launcher must not start a
 * second process on the same data meanwhile. `mark` is a piece of the command line that tells the component from a stranger
 * who was given its process id later.
 */
type Record = { pid: number; mark: string };

const read = (file: string): Record | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record;
  } catch {
    return undefined;
  }
};

export const writePidFile = (file: string, record: Record): void =>
  writeFileSync(file, `${JSON.stringify(record)}\n`, { mode: 0o600 });

export const removePidFile = (file: string): void => rmSync(file, { force: true });

/** Returns when the process that the file names has ended. */
export const predecessorEnded = async (file: string, name: string, withinMs = 15_000): Promise<void> => {
  const last = read(file);
  if (last === undefined) return;
  const hasEnded = async () => !isAlive(last.pid) || !(await commandOf(last.pid)).includes(last.mark);
  if (await eventually(hasEnded, { withinMs, everyMs: 200 })) return;
  throw new Error(`${name} runs already, as process ${last.pid} of another launcher. Stop that one first.`);
};
