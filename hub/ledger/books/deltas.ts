import { type Booked, isTurnover } from './booked.ts';
import type { DayReport, Entry } from './entry.ts';
import { ItemDayDeltas, TillDayDeltas, WindowDeltas } from './sales/deltas.ts';
import { StockDeltas } from './stock/deltas.ts';

/** A day-end report, with the source and seq of its event. */
export type DayStated = { report: DayReport; entry: Entry; siteId: number; sourceId: number; seq: number };

/**
 * Sums new events one by one into the delta of each total, so that none of them has to be kept. Addition commutes, so
 * neither the order of the events nor the way they were cut into slices can change a total (H3, H5). Deltas are unordered:
 * the statements that write them sort by key. Consecutive events mostly belong to one site, so each class first tries
 * the delta that it used last.
 */
export class Deltas {
  readonly windows: WindowDeltas;
  readonly tillDays = new TillDayDeltas();
  readonly itemDays = new ItemDayDeltas();
  readonly stock = new StockDeltas();
  readonly daysStated: DayStated[] = [];
  /** Voids, each with the sales that it takes back. */
  readonly voids: Booked[] = [];

  constructor(intervalMs: number) {
    this.windows = new WindowDeltas(intervalMs);
  }

  add(booked: Booked): void {
    const { entry, siteId, sourceId, seq } = booked;
    if (isTurnover(entry)) {
      this.windows.add(booked);
      this.tillDays.add(booked);
      this.itemDays.add(booked);
    }
    this.stock.add(booked);
    if (entry.voided.length > 0) this.voids.push(booked);
    if (entry.dayReport !== null)
      this.daysStated.push({ report: entry.dayReport, entry, siteId, sourceId, seq });
  }
}
