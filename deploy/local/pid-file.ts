import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { eventually } from './probe.ts';
import { commandOf, isAlive } from './process-table.ts';

/**
 * The process that last ran a component. When a launcher is killed, its components take some seconds to end, and meanwhile a
 * new launcher must not start a second process on the same data. `argument` is a piece of its command line that tells
 * the component from an unrelated process that got its id later.
 */
type Record = { pid: number; argument: string };

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

/** Resolves when the process named in the file has ended. */
export const predecessorEnded = async (file: string, name: string, withinMs = 15_000): Promise<void> => {
  const last = read(file);
  if (last === undefined) return;
  const hasEnded = async () => !isAlive(last.pid) || !(await commandOf(last.pid)).includes(last.argument);
  if (await eventually(hasEnded, { withinMs, everyMs: 200 })) return;
  throw new Error(
    `${name} is already running, as process ${last.pid} of another launcher. Stop that one first.`,
  );
};
