import { type Booked, isTurnover } from './booked.ts';
import type { DayReport, Entry } from './entry.ts';
import { ItemDayFold, TillDayFold, WindowFold } from './sales/fold.ts';
import { StockFold } from './stock/fold.ts';

/** What a till states of its day, with where the statement came from. */
export type DayStated = { report: DayReport; entry: Entry; siteId: number; sourceId: number; seq: number };

/**
 * New events, added up one by one into the delta of each total, so that none of them has to be kept. Addition commutes, so
 * neither the order of the events nor the way they were cut into slices can change a total (H3, H5). The deltas come in no
 * order: the statements that write them sort by key. Events of one site come one after another, so the next one mostly
 * adds to the same summed as the last, and each part of this looks there first.
 */
export class Fold {
  readonly windows: WindowFold;
  readonly tillDays = new TillDayFold();
  readonly itemDays = new ItemDayFold();
  readonly stock = new StockFold();
  readonly daysStated: DayStated[] = [];

  constructor(intervalMs: number) {
    this.windows = new WindowFold(intervalMs);
  }

  add(booked: Booked): void {
    const { entry, siteId, sourceId, seq } = booked;
    if (isTurnover(entry)) {
      this.windows.add(booked);
      this.tillDays.add(booked);
      this.itemDays.add(booked);
    }
    this.stock.add(booked);
    if (entry.dayReport !== null)
      this.daysStated.push({ report: entry.dayReport, entry, siteId, sourceId, seq });
  }
}
