import { decimalText, quantityOf, quantityScale } from '@branchline/contracts/decimal.ts';
import type { Transaction } from '@branchline/contracts/pos.ts';
import type { Random } from '@branchline/kernel/random.ts';
import { type Article, itemOf, popularArticle, unitOf } from '../assortment.ts';
import { between, chance, oneOf } from '../chance.ts';

export type Line = Transaction['lines'][number];

const thousandths = 10 ** quantityScale;

/** Half a minor unit rounds away from zero, as scales print it. */
const extended = (quantity: number, price: number): number => {
  const magnitude = Math.floor((Math.abs(quantity) * price + thousandths / 2) / thousandths);
  return quantity < 0 ? 0 - magnitude : magnitude;
};

/** `quantity` in thousandths, negative for a return. */
const lineOf = (article: Article, lineNumber: number, quantity: number): Line => ({
  lineNumber,
  lineType: quantity < 0 ? 'RETURN' : 'SALE',
  item: itemOf(article),
  quantity: decimalText(quantity, quantityScale),
  uom: unitOf(article),
  entryMethod: article.weighed ? 'WEIGHED' : 'SCANNED',
  regularUnitPrice: decimalText(article.price, 2),
  actualUnitPrice: decimalText(article.price, 2),
  extendedAmount: extended(quantity, article.price),
  taxCode: article.taxCode,
});

const drawQuantity = (random: Random, article: Article): number =>
  article.weighed
    ? between(random, 80, 2_400)
    : chance(random, 0.75)
      ? thousandths
      : thousandths * between(random, 2, 6);

/** One to about fifteen lines, three or four on average; sometimes the same article twice, as tills print it. */
export const sellLines = (random: Random, firstLineNumber = 1): Line[] => {
  const lines: Line[] = [];
  do {
    const article = popularArticle(random);
    lines.push(lineOf(article, firstLineNumber + lines.length, drawQuantity(random, article)));
  } while (lines.length < 15 && chance(random, 0.72));
  return lines;
};

/** The cashier voids one line before payment: it stays on the transaction and counts for nothing. */
export const withVoidedLine = (random: Random, lines: Line[]): Line[] => {
  const index = between(random, 0, lines.length - 1);
  return lines.map((line, i) => (i === index ? { ...line, voided: true } : line));
};

const returnFacts = (random: Random) => ({
  returnReason: oneOf(random, ['DAMAGED', 'WRONG_ITEM', 'CHANGED_MIND'] as const),
  returnDisposition: oneOf(random, [
    'sellable_accessible',
    'sellable_not_accessible',
    'non_sellable_other',
  ] as const),
});

/** A return without the receipt: the original sale is unknown, which is normal. */
export const returnUnknown = (random: Random, lineNumber: number): Line => {
  const article = popularArticle(random);
  return { ...lineOf(article, lineNumber, -drawQuantity(random, article)), ...returnFacts(random) };
};

/** A return with the receipt: the whole line comes back at its selling price. */
export const returnOf = (
  random: Random,
  lineNumber: number,
  original: Pick<Transaction, 'workstationId' | 'businessDay' | 'sequenceNumber'>,
  sold: Line,
): Line => ({
  ...sold,
  lineNumber,
  lineType: 'RETURN',
  quantity: decimalText(-quantityOf(sold.quantity), quantityScale),
  extendedAmount: 0 - sold.extendedAmount,
  ...returnFacts(random),
  originalTransaction: {
    workstationId: original.workstationId,
    businessDay: original.businessDay,
    sequenceNumber: original.sequenceNumber,
    lineNumber: sold.lineNumber,
  },
});
