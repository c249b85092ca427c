import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Stream } from '@branchline/contracts/ids.ts';
import type { NewEvent } from '../core/store-port.ts';
import type { EpochRow, StoredRow } from '../core/stored-rows.ts';
import { DamagedFile } from '../io/damaged-file.ts';
import type { EventTable } from '../io/event-table.ts';

/**
 * A damaged database is put aside and a new one begun at once, so that tills go on. What can be read of the old one is
 * copied over in slices, under its old epochs and seqs: what was sent before is a duplicate to the hub. Rows that are asked
 * for earlier, to be sent or to recognise a repeated event, are read from the old file directly.
 *
 * The names of the files are the state: `.damaged-…` is still to be read, `.salvaged-…` is kept for a person.
 */
const sliceSeqs = 512;
const filesKept = 2;

/** The WAL first: `finishMove` tells from it that a move was interrupted. */
const companions = ['-wal', ''];
const move = (from: string, to: string): void => {
  for (const end of companions) if (existsSync(from + end)) renameSync(from + end, to + end);
};

const filesLike = (path: string, kind: 'damaged' | 'salvaged'): string[] =>
  readdirSync(dirname(path))
    .filter((name) => name.startsWith(`${basename(path)}.${kind}-`) && !name.endsWith('-wal'))
    .sort()
    .map((name) => join(dirname(path), name));

/** Moves the database out of the way. */
export const putAside = (path: string, now: number): string => {
  const aside = `${path}.damaged-${new Date(now).toISOString().replaceAll(':', '')}`;
  move(path, aside);
  return basename(aside);
};

/** To be called before the database is opened: a database without its WAL would be an older one. */
export const finishMove = (path: string): void => {
  if (!existsSync(dirname(path))) return;
  for (const name of readdirSync(dirname(path))) {
    const aside = join(dirname(path), name.replace(/-wal$/, ''));
    if (name.startsWith(`${basename(path)}.damaged-`) && name.endsWith('-wal') && !existsSync(aside))
      if (existsSync(path)) renameSync(path, aside);
  }
};

type Reading = {
  file: DamagedFile;
  epochs: EpochRow[];
  at: { index: number; seq: number };
  rows: number;
  lost: number;
};

export type Salvaged = { file: string; rows: number; unreadable: number };

export type Salvage = {
  isRunning(): boolean;
  /** Copies these rows, because they are to be sent now. */
  fetch(stream: Stream, epoch: string, first: number, last: number): void;
  earlier(event: NewEvent): StoredRow | undefined;
  /** Copies the next slice; returns the file that it has finished with. */
  step(): Salvaged | undefined;
  /** How many files were put aside, read or not. */
  files(): number;
  close(): void;
};

/**
 * If every epoch of the newest file was taken over, whatever cannot be read is a gap that the hub sees, and the database keeps
 * its id. Otherwise a new id tells the hub that something may be lost that no gap shows.
 */
const takeOver = (path: string, table: EventTable): Reading[] => {
  const readings = filesLike(path, 'damaged').map((name): Reading => {
    const file = new DamagedFile(name);
    return { file, epochs: table.adopt(file.epochs()), at: { index: 0, seq: 1 }, rows: 0, lost: 0 };
  });
  const newest = readings.at(-1);
  const id = newest?.file.wholeId();
  if (id !== undefined && newest?.epochs.length === newest?.file.epochs().length) table.continueAs(id);
  return readings;
};

export const createSalvage = (path: string, table: EventTable): Salvage => {
  const readings = takeOver(path, table);
  let files = readings.length + filesLike(path, 'salvaged').length;

  const isIn = ({ number, highest }: EpochRow, position: number): boolean =>
    position >= table.positionOf(number, 1) && position <= table.positionOf(number, highest);

  const copy = ({ file }: Reading, { stream, number }: EpochRow, first: number, last: number) => {
    const { rows, unreadable } = file.rows(
      stream,
      table.positionOf(number, first),
      table.positionOf(number, last),
    );
    table.copy(stream, rows);
    return { rows: rows.length, lost: unreadable.reduce((sum, [from, to]) => sum + to - from + 1, 0) };
  };

  const finish = (reading: Reading): Salvaged => {
    const { file, rows, lost } = reading;
    readings.shift();
    file.close();
    move(file.path, file.path.replace('.damaged-', '.salvaged-'));
    const kept = filesLike(path, 'salvaged');
    for (const old of kept.slice(0, -filesKept))
      for (const end of companions) rmSync(old + end, { force: true });
    files = readings.length + Math.min(kept.length, filesKept);
    return { file: basename(file.path), rows, unreadable: lost };
  };

  const step = (): Salvaged | undefined => {
    const [reading] = readings;
    if (reading === undefined) return undefined;
    const { at, epochs } = reading;
    const epoch = epochs[at.index];
    if (epoch === undefined) return finish(reading);
    const last = Math.min(at.seq + sliceSeqs - 1, epoch.highest);
    if (last >= at.seq) {
      const copied = copy(reading, epoch, at.seq, last);
      reading.rows += copied.rows;
      reading.lost += copied.lost;
    }
    reading.at = last >= epoch.highest ? { index: at.index + 1, seq: 1 } : { index: at.index, seq: last + 1 };
    return undefined;
  };

  return {
    isRunning: () => readings.length > 0,
    fetch: (stream, epoch, first, last) => {
      for (const reading of readings) {
        const row = reading.epochs.find((one) => one.stream === stream && one.epoch === epoch);
        if (row !== undefined) copy(reading, row, first, Math.min(last, row.highest));
      }
    },
    earlier: ({ stream, id }) => {
      for (const { file, epochs } of readings) {
        const row = file.byId(stream, id);
        if (row !== undefined && epochs.some((epoch) => isIn(epoch, row.position))) return row;
      }
      return undefined;
    },
    step,
    files: () => files,
    close: () => {
      for (const { file } of readings) file.close();
    },
  };
};
