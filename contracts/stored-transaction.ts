import { isCurrency } from './currency.ts';
import { quantityOf } from './decimal.ts';
import { hasCheckDigit } from './event.ts';
import { limits } from './limits.ts';
import type { TransactionEvent } from './parse.ts';
import { posEventId, posTypes } from './pos.ts';
import { isDay, isInstant } from './time.ts';

/**
 * The shortest way to what nearly every event is. An agent stores events in one canonical form, keys in the order of the
 * schemas and no space between them, so an ordinary transaction can be taken from its text piece by piece, without making an
 * object of every part of it first; that was a third of what an event cost the hub. As with `ordinaryTransaction`, the schemas stay
 * the only definition of what is valid: this says yes only to a part of what they accept, and the rest goes to them.
 */

const plain = String.raw`[^"\\\x00-\x1f]`;
const whole = String.raw`-?[1-9]\d{0,14}|0`;
const count = String.raw`[1-9]\d{0,14}|0`;
const time = '[0-9T:.Z+-]{20,35}';
const price = String.raw`-?\d{1,9}(?:\.\d{1,5})?`;
const name = '[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?';
const itemId = String.raw`[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}`;

/** Where the last match ended is where the next one has to begin. */
const piece = (...parts: string[]) => new RegExp(parts.join(''), 'y');

const start = piece(
  String.raw`\{(?:"recordedtime":"(${time})",)?"specversion":"1\.0"`,
  String.raw`,"id":"([\x21\x23-\x5b\x5d-\x7e]{1,128})"`,
  String.raw`,"source":"(urn:x-retail:(?:gln:\d{13}|site:[a-z0-9-]{1,32}):ws:[A-Za-z0-9._-]{1,32})"`,
  `,"time":"(${time})"`,
  '(?:,"datacontenttype":"application/json")?',
  '(?:,"dataclassification":"(?:public|internal|confidential|restricted)")?',
  '(?:,"traceparent":"(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})")?',
  `,"type":"${posTypes.completed.replaceAll('.', String.raw`\.`)}"`,
  String.raw`,"data":\{"site":\{"storeId":"(${name})"\}`,
  ',"workstationId":"([A-Za-z0-9._-]{1,32})"',
  `,"businessDay":"([0-9-]{10})","sequenceNumber":(${count})`,
  `(?:,"receiptNumber":"${plain}{0,64}")?`,
  `(?:,"beginAt":"(${time})")?,"endAt":"(${time})"`,
  '(?:,"operatorRef":"op_[A-Za-z0-9_-]{1,64}")?',
  ',"currency":"([A-Z]{3})"',
  '(?:,"training":(true|false))?(?:,"offline":(?:true|false))?',
  String.raw`,"lines":\[`,
);

const line = piece(
  String.raw`\{"lineNumber":(${count}),"lineType":"SALE"`,
  String.raw`,"item":\{(?:"gtin":"(\d{14})"(?:,"itemId":"(${itemId})")?|"itemId":"(${itemId})")`,
  String.raw`(?:,"description":"${plain}{0,200}")?\}`,
  String.raw`,"quantity":"(\d{1,9}(?:\.\d{1,3})?)"`,
  '(?:,"uom":"[A-Z0-9]{2,3}")?(?:,"entryMethod":"(?:SCANNED|KEYED|WEIGHED|OTHER)")?',
  `(?:,"regularUnitPrice":"${price}")?(?:,"actualUnitPrice":"${price}")?`,
  `,"extendedAmount":(${count})(?:,"discountAmount":(?:${whole}))?`,
  String.raw`(?:,"taxCode":"${plain}{0,16}")?\}([,\]])`,
);

const tax = String.raw`\{"taxCode":"${plain}{0,16}","rate":"${price}","gross":(?:${whole}),"net":(?:${whole}),"tax":(?:${whole})\}`;
const beforeTenders = piece(String.raw`(?:,"taxes":\[(?:${tax}(?:,${tax}){0,31})?\])?,"tenders":\[`);
const tender = piece(String.raw`\{"tenderType":"[A-Z0-9_]{1,32}","amount":(${whole})\}([,\]])`);
const tendersMax = 64;
const end = piece(
  String.raw`,"totals":\{"gross":(${whole})(?:,"net":(${whole}))?(?:,"tax":(${whole}))?\}\}\}$`,
);

const closing = 93;

/** A text that is taken piece by piece. */
class Pieces {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What the groups found, where the piece is what comes next. */
  take(next: RegExp): RegExpExecArray | undefined {
    next.lastIndex = this.#at;
    const found = next.exec(this.#text);
    if (found === null) return undefined;
    this.#at = next.lastIndex;
    return found;
  }

  /** Whether the list that was opened ends here already. */
  closes(): boolean {
    if (this.#text.charCodeAt(this.#at) !== closing) return false;
    this.#at++;
    return true;
  }
}

type Transaction = TransactionEvent['data'];

const takeLines = (pieces: Pieces): Transaction['lines'] | undefined => {
  const lines: Transaction['lines'] = [];
  if (pieces.closes()) return lines;
  for (let after = 0; lines.length < limits.linesPerEventMax; ) {
    const found = pieces.take(line);
    if (found === undefined) return undefined;
    const lineNumber = Number(found[1]);
    const gtin = found[2];
    if (lineNumber <= after || (gtin !== undefined && !hasCheckDigit(gtin))) return undefined;
    after = lineNumber;
    const item = { gtin, itemId: found[4] ?? found[3] };
    lines.push({
      lineNumber,
      lineType: 'SALE',
      item,
      quantity: found[5] as string,
      extendedAmount: Number(found[6]),
    });
    if (found[7] === ']') return lines;
  }
  return undefined;
};

/** The sum of the tenders. */
const takePaid = (pieces: Pieces): number | undefined => {
  let paid = 0;
  if (pieces.closes()) return paid;
  for (let i = 0; i < tendersMax; i++) {
    const found = pieces.take(tender);
    if (found === undefined) return undefined;
    paid += Number(found[1]);
    if (found[2] === ']') return paid;
  }
  return undefined;
};

const areSmall = (lines: Transaction['lines'], gross: number): boolean => {
  let amounts = Math.abs(gross);
  let quantities = 0;
  for (const { extendedAmount, quantity } of lines) {
    amounts += extendedAmount;
    quantities += quantityOf(quantity);
  }
  return amounts < limits.eventSumMax && quantities < limits.eventSumMax;
};

const numberOrNone = (digits: string | undefined): number | undefined =>
  digits === undefined ? undefined : Number(digits);

/** A transaction with what the books keep of it. */
export type TransactionForBooks = Omit<TransactionEvent, 'data'> & { data: Omit<Transaction, 'tenders'> };

/** Undefined when the text is not that of an ordinary transaction in its canonical form. */
export const storedTransaction = (text: string): TransactionForBooks | undefined => {
  const pieces = new Pieces(text);
  const found = pieces.take(start);
  if (found === undefined) return undefined;
  // By number: taking the list apart would cost as much as finding it.
  const recordedtime = found[1];
  const source = found[3] as string;
  const time = found[4] as string;
  const traceparent = found[5];
  const storeId = found[6] as string;
  const workstationId = found[7] as string;
  const businessDay = found[8] as string;
  const sequenceNumber = Number(found[9]);
  const beginAt = found[10];
  const endAt = found[11] as string;
  const currency = found[12] as string;
  const training = found[13];
  // Not as it was found: a long piece of a text holds on to the whole text, and the books keep the id for a while.
  const id = posEventId({ workstationId, businessDay, sequenceNumber });
  const lines = takeLines(pieces);
  if (lines === undefined || pieces.take(beforeTenders) === undefined) return undefined;
  const paid = takePaid(pieces);
  const ended = paid === undefined ? undefined : pieces.take(end);
  if (ended === undefined) return undefined;
  const gross = Number(ended[1]);
  const fits =
    paid === gross &&
    areSmall(lines, gross) &&
    isDay(businessDay) &&
    isInstant(time) &&
    (endAt === time || isInstant(endAt)) &&
    (recordedtime === undefined || isInstant(recordedtime)) &&
    (beginAt === undefined || isInstant(beginAt)) &&
    isCurrency(currency) &&
    found[2] === id;
  if (!fits) return undefined;
  return {
    specversion: '1.0',
    id,
    source,
    time,
    recordedtime,
    traceparent,
    type: posTypes.completed,
    data: {
      site: { storeId },
      workstationId,
      businessDay,
      sequenceNumber,
      endAt,
      currency,
      training: training === undefined ? undefined : training === 'true',
      lines,
      totals: { gross, net: numberOrNone(ended[2]), tax: numberOrNone(ended[3]) },
    },
  };
};
