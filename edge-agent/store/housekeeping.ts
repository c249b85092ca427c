import { isArchiveSacrificed } from '../core/budget.ts';
import { createIdleCheck } from '../core/idle.ts';
import type { KeptPosition, StoreFigures } from '../core/store-port.ts';
import { anyAge } from '../io/event-table.ts';
import { guarded, type StorePorts } from './ports.ts';

const keepEveryMs = 500;
const releaseEveryMs = 1_000;
/** While there is more to release; a till's commit comes between. */
const releaseAgainMs = 5;
const idleCheckEveryMs = 5_000;
/** What a restart may forget of the archive's age; events are kept for so much longer then. */
const ageEveryMs = 10 * 60_000;
/** The archive's keep time is counted in steps: one row per epoch and step. */
const ageSteps = 64;
/** One deleting transaction; a till's commit waits for it at most once. */
const releaseRowsMax = 1_000;
/** The file is given back to the file system when this many of its pages are empty, in small pieces. */
const shrinkFromPages = 2_048;
const shrinkPages = 256;

/** What the store does by itself: keep positions, release events, shrink the file, return memory. */
export type HousekeepingPorts = StorePorts & {
  figures(): StoreFigures;
  eventsTouched(): number;
  /** No request waits for a commit. */
  isQuiet(): boolean;
  returnMemory(): void;
};

export const startHousekeeping = (ports: HousekeepingPorts) => {
  const { options, room, post, isClosing } = ports;
  const toKeep = new Map<string, KeptPosition>();
  const ageStepMs = Math.ceil(options.archiveKeepMs / ageSteps) || 1;

  /** A position leaves `toKeep` once it is on disk: the hub repeats its marks, but the outbox does not repeat positions. */
  const keep = () => {
    if (toKeep.size === 0 || room.waitsFor() !== undefined) return;
    guarded(ports, () => {
      room.table().keep([...toKeep.values()], ageStepMs);
      toKeep.clear();
    });
  };

  /** True when there may be more to do. Nothing is released before everything that can be read is in the database. */
  const release = (): boolean => {
    room.retry();
    room.assertFilesKept();
    if (room.waitsFor() !== undefined) return false;
    const salvage = room.salvage();
    if (salvage?.isRunning()) {
      const finished = salvage.step();
      if (finished !== undefined) post({ kind: 'salvaged', ...finished });
      return true;
    }
    const table = room.table();
    const sacrificed = isArchiveSacrificed(table.usedBytes(), options.diskBudgetBytes);
    const since = sacrificed ? anyAge : table.age.now() - options.archiveKeepMs;
    const released = table.release(since, releaseRowsMax);
    if (released === undefined) {
      // Last, because it writes: a full disk must not keep events from being released.
      if (table.age.unkept() >= ageEveryMs) table.age.keep();
      if (table.freePages() >= shrinkFromPages && ports.isQuiet()) table.shrink(shrinkPages);
      return false;
    }
    const { stream, epoch, releasedTo, removed } = released;
    post(
      removed ? { kind: 'epoch-removed', stream, epoch } : { kind: 'released', stream, epoch, releasedTo },
    );
    return true;
  };

  const releaseAndReport = () => {
    if (isClosing()) return;
    const more = guarded(ports, release) === true;
    post({ kind: 'figures', figures: ports.figures() });
    releaseTimer = setTimeout(releaseAndReport, more ? releaseAgainMs : releaseEveryMs);
  };
  let releaseTimer = setTimeout(releaseAndReport, releaseEveryMs);

  const isIdle = createIdleCheck();
  const returnMemory = () => {
    if (isClosing() || !isIdle(ports.eventsTouched())) return;
    room.table().returnMemory();
    ports.returnMemory();
  };
  const timers = [setInterval(keep, keepEveryMs), setInterval(returnMemory, idleCheckEveryMs)];

  return {
    keepLater: (positions: readonly KeptPosition[]) => {
      for (const position of positions) toKeep.set(position.epoch, position);
    },
    keep,
    stop: () => {
      clearTimeout(releaseTimer);
      for (const timer of timers) clearInterval(timer);
    },
  };
};
