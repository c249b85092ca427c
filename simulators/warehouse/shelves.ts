import { decimalText, quantityScale } from '@branchline/contracts/decimal.ts';
import type { CountEvent, MovementEvent } from '@branchline/contracts/parse.ts';
import type { MovementReason } from '@branchline/contracts/rules.ts';
import { type Movement, stockTypes } from '@branchline/contracts/stock.ts';
import type { Random } from '@branchline/kernel/random.ts';
import { instantText } from '@branchline/kernel/zone.ts';
import { type Article, assortment, itemOf, popularArticle, unitOf } from '../assortment.ts';
import { between, chance, oneOf, weighted } from '../chance.ts';
import { numberByDay } from '../numbering.ts';

/**
 * The shelves of a warehouse or of a store's back room. The same options and instants give the same events, byte for
 * byte. Sales are not sent from here: the hub derives their effect on stock from the transactions.
 */
export type ShelvesOptions = {
  site: string;
  kind: 'store' | 'warehouse';
  /** Stores that a warehouse supplies. */
  destinations: readonly string[];
  zone: string;
  /** When this run began; see numbering.ts. */
  startedAt: number;
  random: Random;
};

/** Goods that left one site and have not reached the other. */
export type Transfer = { transferId: string; from: string; to: string; lines: Movement['lines'] };

export type Shelves = {
  /** The next event, at `at`, and the transfer that it begins, if any. */
  next(at: number): { event: MovementEvent | CountEvent; departed?: Transfer };
  /** The other half of the pair: the same goods arrive under the same transferId. */
  arrive(transfer: Transfer, at: number): MovementEvent;
};

const warehouseMix = [
  ['receive', 0.35],
  ['transfer', 0.45],
  ['count-items', 0.1],
  ['count-location', 0.01],
  ['spoil', 0.06],
  ['shrink', 0.03],
] as const;

const storeMix = [
  ['receive', 0.3],
  ['count-items', 0.25],
  ['count-location', 0.01],
  ['spoil', 0.3],
  ['shrink', 0.14],
] as const;

const halls = ['hall-1', 'hall-2', 'cold-store'] as const;
const thousandths = 10 ** quantityScale;

const quantityText = (random: Random, article: Article, low: number, high: number): string => {
  const pieces = between(random, low, high) * thousandths;
  return decimalText(article.weighed ? pieces + between(random, 0, thousandths - 1) : pieces, quantityScale);
};

/** A few distinct articles, popular ones more often. */
const drawArticles = (random: Random, most: number): Article[] => {
  const drawn = new Set<Article>();
  for (let left = between(random, 1, most); left > 0; left--) drawn.add(popularArticle(random));
  return [...drawn];
};

/** Writes what happens on the shelves as events. */
const createWriter = ({ site, kind, zone, startedAt, random }: ShelvesOptions) => {
  const number = numberByDay(zone, startedAt);
  const drawLocation = () => (kind === 'warehouse' ? { location: oneOf(random, halls) } : {});

  const nextId = (at: number): string => {
    const { businessDay, sequenceNumber } = number(at);
    return `${site}:shelves:${businessDay}:${sequenceNumber}`;
  };
  const envelope = (id: string, at: number) => ({
    id,
    source: `urn:x-retail:site:${site}:wh:shelves`,
    time: instantText(zone, at),
  });

  return {
    movement: (
      at: number,
      reason: MovementReason,
      lines: Movement['lines'],
      facts: (id: string) => Partial<Movement> = () => ({}),
    ): MovementEvent => {
      const id = nextId(at);
      return {
        specversion: '1.0',
        ...envelope(id, at),
        type: stockTypes.movement,
        data: { site: { storeId: site }, ...drawLocation(), movementId: id, reason, lines, ...facts(id) },
      };
    },
    count: (at: number, scope: 'ITEMS' | 'LOCATION_FULL', articles: readonly Article[]): CountEvent => ({
      specversion: '1.0',
      ...envelope(nextId(at), at),
      type: stockTypes.count,
      data: {
        site: { storeId: site },
        ...drawLocation(),
        scope,
        countedAt: instantText(zone, at),
        lines: articles.map((article) => ({
          item: itemOf(article),
          countedQuantity: quantityText(random, article, 0, 200),
          uom: unitOf(article),
        })),
      },
    }),
  };
};

export const createShelves = (options: ShelvesOptions): Shelves => {
  const { site, kind, destinations, random } = options;
  const mix = kind === 'warehouse' && destinations.length > 0 ? warehouseMix : storeMix;
  const { movement, count } = createWriter(options);

  const drawLines = (sign: 1 | -1, most: number, low: number, high: number): Movement['lines'] =>
    drawArticles(random, most).map((article) => ({
      item: itemOf(article),
      quantity: `${sign === 1 ? '' : '-'}${quantityText(random, article, low, high)}`,
      uom: unitOf(article),
    }));

  const receive = (at: number): MovementEvent =>
    movement(at, 'GOODS_RECEIVED', drawLines(1, 8, 12, 120), (id) => ({
      bizTransactions: [{ type: 'po', id: `po:${id}` }],
    }));

  const send = (at: number): { event: MovementEvent; departed: Transfer } => {
    const to = oneOf(random, destinations);
    const lines = drawLines(-1, 6, 6, 48);
    const event = movement(at, 'TRANSFER_OUT', lines, (id) => ({
      transferId: `transfer:${id}`,
      source: site,
      destination: to,
    }));
    const arriving = lines.map((line) => ({ ...line, quantity: line.quantity.slice(1) }));
    return {
      event,
      departed: { transferId: event.data.transferId as string, from: site, to, lines: arriving },
    };
  };

  /** A full count leaves out a few articles; by its scope, the location has none of them. */
  const countLocation = (at: number): CountEvent =>
    count(
      at,
      'LOCATION_FULL',
      assortment.filter(() => !chance(random, 0.04)),
    );

  return {
    next: (at) => {
      switch (weighted<(typeof warehouseMix)[number][0]>(random, mix)) {
        case 'receive':
          return { event: receive(at) };
        case 'transfer':
          return send(at);
        case 'count-items':
          return { event: count(at, 'ITEMS', drawArticles(random, 5)) };
        case 'count-location':
          return { event: countLocation(at) };
        case 'spoil':
          return {
            event: movement(at, 'SPOILAGE', drawLines(-1, 3, 1, 6), () => ({ note: 'past its best date' })),
          };
        case 'shrink':
          return { event: movement(at, 'SHRINK', drawLines(-1, 1, 1, 3)) };
      }
    },
    arrive: ({ transferId, from, lines }, at) =>
      movement(at, 'TRANSFER_IN', lines, () => ({ transferId, source: from, destination: site })),
  };
};
