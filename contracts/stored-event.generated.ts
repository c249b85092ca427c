// Generated from the schemas by testing/generate/stored-event.ts; do not edit. To bring it up to date:
// npm test -- contracts/stored-event.test.ts -u

import { isCurrency } from './currency.ts';
import { isNotNegative } from './decimal.ts';
import { hasCheckDigit } from './event.ts';
import { isItemId } from './item.ts';
import { completedIsConsistent, itemIsNamed, movementIsConsistent, voidIsConsistent } from './rules.ts';
import { TextPieces, flagOrNone, piece, wholeOrNone } from './text-pieces.ts';
import { isDay, isInstant } from './time.ts';
import type { StoredAborted, StoredCount, StoredDayClosed, StoredEvent, StoredMovement, StoredTransaction } from './stored-fields.ts';

const transactionLinesPiece = piece(
  String.raw`\{`,
  String.raw`"lineNumber":([1-9]\d{0,14})`,
  String.raw`,"lineType":"(?:SALE|(RETURN))"`,
  String.raw`(?:,"itemType":"(SERVICE|COUPON|DEPOSIT|GIFT_CARD|TIP|CHARITY|ADJUSTMENT)")?`,
  String.raw`(?:,"voided":(true|false))?`,
  String.raw`,"item":\{`,
  String.raw`(?:"gtin":"(\d{14})"(?:,|(?=\})))?`,
  String.raw`(?:"itemId":"([^"\\\x00-\x1f]*)"(?:,|(?=\})))?`,
  String.raw`(?:"description":"[^"\\\x00-\x1f]{0,200}"(?:,|(?=\})))?(?<!,)\}`,
  String.raw`,"quantity":"(-?\d{1,9}(?:\.\d{1,3})?)"`,
  String.raw`(?:,"uom":"[A-Z0-9]{2,3}")?`,
  String.raw`(?:,"entryMethod":"(?:SCANNED|KEYED|WEIGHED|OTHER)")?`,
  String.raw`(?:,"regularUnitPrice":"-?\d{1,9}(?:\.\d{1,5})?")?`,
  String.raw`(?:,"actualUnitPrice":"-?\d{1,9}(?:\.\d{1,5})?")?`,
  String.raw`,"extendedAmount":(-?[1-9]\d{0,14}|0)`,
  String.raw`(?:,"discountAmount":(?:-?[1-9]\d{0,14}|0))?`,
  String.raw`(?:,"taxCode":"[^"\\\x00-\x1f]{0,16}")?`,
  String.raw`(?:,"returnReason":"[^"\\\x00-\x1f]{0,64}")?`,
  String.raw`(?:,"returnDisposition":"(sellable_accessible|sellable_not_accessible|non_sellable_other)")?`,
  String.raw`(?:,"originalTransaction":\{`,
  String.raw`"workstationId":"[A-Za-z0-9._-]{1,32}"`,
  String.raw`,"businessDay":"([^"\\\x00-\x1f]*)"`,
  String.raw`,"sequenceNumber":(?:[1-9]\d{0,14}|0)`,
  String.raw`(?:,"lineNumber":[1-9]\d{0,14})?\})?\}`,
);

const transactionTendersPiece = piece(
  String.raw`\{`,
  String.raw`"tenderType":"([A-Z0-9_]{1,32})"`,
  String.raw`,"amount":(-?[1-9]\d{0,14}|0)\}`,
);

const transactionReferencesPiece = piece(
  String.raw`\{`,
  String.raw`"workstationId":"([A-Za-z0-9._-]{1,32})"`,
  String.raw`,"businessDay":"([^"\\\x00-\x1f]*)"`,
  String.raw`,"sequenceNumber":([1-9]\d{0,14}|0)`,
  String.raw`,"referenceType":"(?:VOID|(RESUME|RELATED))"\}`,
);

const transactionPiece1 = piece(
  String.raw`\{`,
  String.raw`"site":\{`,
  String.raw`"storeId":"([a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)"`,
  String.raw`(?:,"gln":"(\d{13})")?\}`,
  String.raw`,"workstationId":"([A-Za-z0-9._-]{1,32})"`,
  String.raw`,"businessDay":"([^"\\\x00-\x1f]*)"`,
  String.raw`,"sequenceNumber":([1-9]\d{0,14}|0)`,
  String.raw`(?:,"receiptNumber":"[^"\\\x00-\x1f]{0,64}")?`,
  String.raw`(?:,"beginAt":"([^"\\\x00-\x1f]*)")?`,
  String.raw`,"endAt":"([^"\\\x00-\x1f]*)"`,
  String.raw`(?:,"operatorRef":"op_[A-Za-z0-9_-]{1,64}")?`,
  String.raw`,"currency":"([^"\\\x00-\x1f]*)"`,
  String.raw`(?:,"training":(true|false))?`,
  String.raw`(?:,"offline":(?:true|false))?`,
  String.raw`,"lines":\[`,
);

const transactionPiece2 = piece(
  String.raw`(?:,"taxes":\[(?:\{"taxCode":"[^"\\\x00-\x1f]{0,16}","rate":"-?\d{1,9}(?:\.\d{1,5})?","gross":(?:-?[1-9]\d{0,14}|0),"net":(?:-?[1-9]\d{0,14}|0),"tax":(?:-?[1-9]\d{0,14}|0)\}(?:,\{"taxCode":"[^"\\\x00-\x1f]{0,16}","rate":"-?\d{1,9}(?:\.\d{1,5})?","gross":(?:-?[1-9]\d{0,14}|0),"net":(?:-?[1-9]\d{0,14}|0),"tax":(?:-?[1-9]\d{0,14}|0)\}){0,31})?\])?`,
  String.raw`,"tenders":\[`,
);

const transactionPiece3 = piece(
  String.raw`,"totals":\{`,
  String.raw`"gross":(-?[1-9]\d{0,14}|0)`,
  String.raw`(?:,"net":(-?[1-9]\d{0,14}|0))?`,
  String.raw`(?:,"tax":(-?[1-9]\d{0,14}|0))?\}`,
  String.raw`(?:,"references":(\[))?`,
);

const transactionPiece4 = piece(
  String.raw`(?:,"customer":\{`,
  String.raw`(?:"customerRef":"sub_[A-Za-z0-9_-]{1,64}"(?:,|(?=\})))?`,
  String.raw`(?:"sealed":\{`,
  String.raw`"v":1`,
  String.raw`,"kid":"[^"\\\x00-\x1f]{0,64}"`,
  String.raw`,"alg":"A256GCM"`,
  String.raw`,"iv":"[^"\\\x00-\x1f]{0,64}"`,
  String.raw`,"ct":"[^"\\\x00-\x1f]{0,8192}"\}(?:,|(?=\})))?(?<!,)\})?`,
  String.raw`(?:,"fiscal":(?:\{(?:"[^"\\\x00-\x1f]{0,64}":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\])(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\]))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\])(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\]))*)?\])(?:,"[^"\\\x00-\x1f]{0,64}":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\])(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\]))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\])(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\]))*)?\]))*)?\}))?\}\}$`,
);

const abortedPiece1 = piece(
  String.raw`\{`,
  String.raw`"site":\{`,
  String.raw`"storeId":"([a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)"`,
  String.raw`(?:,"gln":"(\d{13})")?\}`,
  String.raw`,"workstationId":"([A-Za-z0-9._-]{1,32})"`,
  String.raw`,"businessDay":"([^"\\\x00-\x1f]*)"`,
  String.raw`,"sequenceNumber":([1-9]\d{0,14}|0)`,
  String.raw`(?:,"beginAt":"([^"\\\x00-\x1f]*)")?`,
  String.raw`,"endAt":"([^"\\\x00-\x1f]*)"`,
  String.raw`(?:,"operatorRef":"op_[A-Za-z0-9_-]{1,64}")?`,
  String.raw`(?:,"reason":"[^"\\\x00-\x1f]{0,64}")?`,
  String.raw`(?:,"fiscal":(?:\{(?:"[^"\\\x00-\x1f]{0,64}":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\])(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\]))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\])(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\]))*)?\])(?:,"[^"\\\x00-\x1f]{0,64}":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\])(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\]))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\])(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null|\{(?:"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,"[^"\\\x00-\x1f]*":(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\}|\[(?:(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null)(?:,(?:"[^"\\\x00-\x1f]*"|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null))*)?\]))*)?\]))*)?\}))?\}\}$`,
);

const dayClosedPiece1 = piece(
  String.raw`\{`,
  String.raw`"site":\{`,
  String.raw`"storeId":"([a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)"`,
  String.raw`(?:,"gln":"(\d{13})")?\}`,
  String.raw`,"workstationId":"([A-Za-z0-9._-]{1,32})"`,
  String.raw`,"businessDay":"([^"\\\x00-\x1f]*)"`,
  String.raw`,"reportNumber":([1-9]\d{0,14})`,
  String.raw`,"closedAt":"([^"\\\x00-\x1f]*)"`,
  String.raw`,"currency":"([^"\\\x00-\x1f]*)"`,
  String.raw`,"transactions":([1-9]\d{0,14}|0)`,
  String.raw`,"voids":([1-9]\d{0,14}|0)`,
  String.raw`,"gross":(-?[1-9]\d{0,14}|0)`,
  String.raw`(?:,"operatorRef":"op_[A-Za-z0-9_-]{1,64}")?\}\}$`,
);

const pattern1 = /^[\x21-\x7e]{1,128}$/;

const movementLinesPiece = piece(
  String.raw`\{`,
  String.raw`"item":\{`,
  String.raw`(?:"gtin":"(\d{14})"(?:,|(?=\})))?`,
  String.raw`(?:"itemId":"([^"\\\x00-\x1f]*)"(?:,|(?=\})))?`,
  String.raw`(?:"description":"[^"\\\x00-\x1f]{0,200}"(?:,|(?=\})))?(?<!,)\}`,
  String.raw`,"quantity":"(-?\d{1,9}(?:\.\d{1,3})?)"`,
  String.raw`(?:,"uom":"[A-Z0-9]{2,3}")?`,
  String.raw`(?:,"lot":"[^"\\\x00-\x1f]{0,64}")?`,
  String.raw`(?:,"expiry":"[^"\\\x00-\x1f]{0,32}")?\}`,
);

const movementPiece1 = piece(
  String.raw`\{`,
  String.raw`"site":\{`,
  String.raw`"storeId":"([a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)"`,
  String.raw`(?:,"gln":"(\d{13})")?\}`,
  String.raw`(?:,"location":"([a-z0-9-]{1,32})")?`,
  String.raw`,"movementId":"([^"\\\x00-\x1f]*)"`,
  String.raw`,"reason":"(?:GOODS_RECEIVED|(TRANSFER_OUT|TRANSFER_IN|SPOILAGE|SHRINK|ADJUSTMENT|SUPPLIER_RETURN))"`,
  String.raw`,"lines":\[`,
);

const movementPiece2 = piece(
  String.raw`(?:,"bizTransactions":\[(?:\{"type":"(?:po|desadv|inv|rma)","id":"[^"\\\x00-\x1f]{0,64}"\}(?:,\{"type":"(?:po|desadv|inv|rma)","id":"[^"\\\x00-\x1f]{0,64}"\}){0,15})?\])?`,
  String.raw`(?:,"transferId":"[^"\\\x00-\x1f]{0,64}")?`,
  String.raw`(?:,"source":"[^"\\\x00-\x1f]{0,64}")?`,
  String.raw`(?:,"destination":"[^"\\\x00-\x1f]{0,64}")?`,
  String.raw`(?:,"corrects":"([^"\\\x00-\x1f]*)")?`,
  String.raw`(?:,"note":"[^"\\\x00-\x1f]{0,200}")?\}\}$`,
);

const countLinesPiece = piece(
  String.raw`\{`,
  String.raw`"item":\{`,
  String.raw`(?:"gtin":"(\d{14})"(?:,|(?=\})))?`,
  String.raw`(?:"itemId":"([^"\\\x00-\x1f]*)"(?:,|(?=\})))?`,
  String.raw`(?:"description":"[^"\\\x00-\x1f]{0,200}"(?:,|(?=\})))?(?<!,)\}`,
  String.raw`,"countedQuantity":"(-?\d{1,9}(?:\.\d{1,3})?)"`,
  String.raw`(?:,"uom":"[A-Z0-9]{2,3}")?\}`,
);

const countPiece1 = piece(
  String.raw`\{`,
  String.raw`"site":\{`,
  String.raw`"storeId":"([a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)"`,
  String.raw`(?:,"gln":"(\d{13})")?\}`,
  String.raw`(?:,"location":"([a-z0-9-]{1,32})")?`,
  String.raw`,"scope":"(?:LOCATION_FULL|(ITEMS))"`,
  String.raw`,"countedAt":"([^"\\\x00-\x1f]*)"`,
  String.raw`,"lines":\[`,
);

const countPiece2 = piece(
  String.raw`\}\}$`,
);

const envelopePiece = piece(
  String.raw`\{`,
  String.raw`(?:"recordedtime":"([^"\\\x00-\x1f]*)",)?`,
  String.raw`"specversion":"1\.0"`,
  String.raw`,"id":"([^"\\\x00-\x1f]*)"`,
  String.raw`,"source":"(?:urn:x-retail:(?:gln:\d{13}|site:[a-z0-9-]{1,32}):(?:ws|wh):[A-Za-z0-9._-]{1,32})"`,
  String.raw`(?:,"subject":"([^"\\\x00-\x1f]*)")?`,
  String.raw`,"time":"([^"\\\x00-\x1f]*)"`,
  String.raw`(?:,"datacontenttype":"application/json")?`,
  String.raw`(?:,"dataschema":"[^"\\\x00-\x1f]{0,256}")?`,
  String.raw`(?:,"dataclassification":"(?:public|internal|confidential|restricted)")?`,
  String.raw`(?:,"dataregulation":"[^"\\\x00-\x1f]{0,64}")?`,
  String.raw`(?:,"datacategory":"[^"\\\x00-\x1f]{0,64}")?`,
  String.raw`(?:,"traceparent":"(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})")?,"type":"(?:org\.branchline\.pos\.transaction\.completed\.v1|(org\.branchline\.pos\.transaction\.voided\.v1|org\.branchline\.pos\.transaction\.aborted\.v1|org\.branchline\.pos\.day\.closed\.v1|org\.branchline\.stock\.movement\.recorded\.v1|org\.branchline\.stock\.count\.recorded\.v1))","data":`,
);

const transactionLines = (pieces: TextPieces): NonNullable<StoredTransaction['data']['lines']>[number][] | undefined => {
  const list: NonNullable<StoredTransaction['data']['lines']>[number][] = [];
  if (pieces.closes()) return list;
  while (list.length < 5000) {
    const found1 = pieces.take(transactionLinesPiece);
    if (found1 === undefined || !(found1[5] === undefined || hasCheckDigit(found1[5])) || !(found1[6] === undefined || isItemId(found1[6])) || !(found1[10] === undefined || isDay(found1[10]))) return undefined;
    const item = { gtin: found1[5], itemId: found1[6] };
    if (itemIsNamed(item) !== undefined) return undefined;
    list.push({ lineNumber: Number(found1[1]), lineType: (found1[2] ?? 'SALE') as 'SALE' | 'RETURN', itemType: found1[3] as 'SERVICE' | 'COUPON' | 'DEPOSIT' | 'GIFT_CARD' | 'TIP' | 'CHARITY' | 'ADJUSTMENT' | undefined, voided: flagOrNone(found1[4]), item, quantity: found1[7] as string, extendedAmount: Number(found1[8]), returnDisposition: found1[9] as 'sellable_accessible' | 'sellable_not_accessible' | 'non_sellable_other' | undefined });
    if (pieces.closes()) return list;
    if (!pieces.goesOn()) return undefined;
  }
  return undefined;
};

const transactionTenders = (pieces: TextPieces): NonNullable<StoredTransaction['data']['tenders']>[number][] | undefined => {
  const list: NonNullable<StoredTransaction['data']['tenders']>[number][] = [];
  if (pieces.closes()) return list;
  while (list.length < 64) {
    const found1 = pieces.take(transactionTendersPiece);
    if (found1 === undefined) return undefined;
    list.push({ tenderType: found1[1] as string, amount: Number(found1[2]) });
    if (pieces.closes()) return list;
    if (!pieces.goesOn()) return undefined;
  }
  return undefined;
};

const transactionReferences = (pieces: TextPieces): NonNullable<StoredTransaction['data']['references']>[number][] | undefined => {
  const list: NonNullable<StoredTransaction['data']['references']>[number][] = [];
  if (pieces.closes()) return list;
  while (list.length < 64) {
    const found1 = pieces.take(transactionReferencesPiece);
    if (found1 === undefined || !isDay(found1[2] as string)) return undefined;
    list.push({ workstationId: found1[1] as string, businessDay: found1[2] as string, sequenceNumber: Number(found1[3]), referenceType: (found1[4] ?? 'VOID') as 'VOID' | 'RESUME' | 'RELATED' });
    if (pieces.closes()) return list;
    if (!pieces.goesOn()) return undefined;
  }
  return undefined;
};

const transaction = (pieces: TextPieces): StoredTransaction['data'] | undefined => {
  const found1 = pieces.take(transactionPiece1);
  if (found1 === undefined || !(found1[2] === undefined || hasCheckDigit(found1[2])) || !isDay(found1[4] as string) || !(found1[6] === undefined || isInstant(found1[6])) || !isInstant(found1[7] as string) || !isCurrency(found1[8] as string)) return undefined;
  const lines = transactionLines(pieces);
  if (lines === undefined) return undefined;
  const found2 = pieces.take(transactionPiece2);
  if (found2 === undefined) return undefined;
  const tenders = transactionTenders(pieces);
  if (tenders === undefined) return undefined;
  const found3 = pieces.take(transactionPiece3);
  if (found3 === undefined) return undefined;
  const references = found3[4] === undefined ? undefined : transactionReferences(pieces);
  if (references === undefined && found3[4] !== undefined) return undefined;
  const found4 = pieces.take(transactionPiece4);
  if (found4 === undefined) return undefined;
  return { site: { storeId: found1[1] as string }, workstationId: found1[3] as string, businessDay: found1[4] as string, sequenceNumber: Number(found1[5]), endAt: found1[7] as string, currency: found1[8] as string, training: flagOrNone(found1[9]), lines, tenders, totals: { gross: Number(found3[1]), net: wholeOrNone(found3[2]), tax: wholeOrNone(found3[3]) }, references };
};

const aborted = (pieces: TextPieces): StoredAborted['data'] | undefined => {
  const found1 = pieces.take(abortedPiece1);
  if (found1 === undefined || !(found1[2] === undefined || hasCheckDigit(found1[2])) || !isDay(found1[4] as string) || !(found1[6] === undefined || isInstant(found1[6])) || !isInstant(found1[7] as string)) return undefined;
  return { site: { storeId: found1[1] as string }, workstationId: found1[3] as string, businessDay: found1[4] as string, sequenceNumber: Number(found1[5]) };
};

const dayClosed = (pieces: TextPieces): StoredDayClosed['data'] | undefined => {
  const found1 = pieces.take(dayClosedPiece1);
  if (found1 === undefined || !(found1[2] === undefined || hasCheckDigit(found1[2])) || !isDay(found1[4] as string) || !isInstant(found1[6] as string) || !isCurrency(found1[7] as string)) return undefined;
  return { site: { storeId: found1[1] as string }, workstationId: found1[3] as string, businessDay: found1[4] as string, reportNumber: Number(found1[5]), closedAt: found1[6] as string, currency: found1[7] as string, transactions: Number(found1[8]), voids: Number(found1[9]), gross: Number(found1[10]) };
};

const movementLines = (pieces: TextPieces): NonNullable<StoredMovement['data']['lines']>[number][] | undefined => {
  const list: NonNullable<StoredMovement['data']['lines']>[number][] = [];
  if (pieces.closes()) return undefined;
  while (list.length < 5000) {
    const found1 = pieces.take(movementLinesPiece);
    if (found1 === undefined || !(found1[1] === undefined || hasCheckDigit(found1[1])) || !(found1[2] === undefined || isItemId(found1[2]))) return undefined;
    const item = { gtin: found1[1], itemId: found1[2] };
    if (itemIsNamed(item) !== undefined) return undefined;
    list.push({ item, quantity: found1[3] as string });
    if (pieces.closes()) return list;
    if (!pieces.goesOn()) return undefined;
  }
  return undefined;
};

const movement = (pieces: TextPieces): StoredMovement['data'] | undefined => {
  const found1 = pieces.take(movementPiece1);
  if (found1 === undefined || !(found1[2] === undefined || hasCheckDigit(found1[2])) || !pattern1.test(found1[4] as string)) return undefined;
  const lines = movementLines(pieces);
  if (lines === undefined) return undefined;
  const found2 = pieces.take(movementPiece2);
  if (found2 === undefined || !(found2[1] === undefined || pattern1.test(found2[1]))) return undefined;
  return { site: { storeId: found1[1] as string }, location: found1[3], reason: (found1[5] ?? 'GOODS_RECEIVED') as 'GOODS_RECEIVED' | 'TRANSFER_OUT' | 'TRANSFER_IN' | 'SPOILAGE' | 'SHRINK' | 'ADJUSTMENT' | 'SUPPLIER_RETURN', lines };
};

const countLines = (pieces: TextPieces): NonNullable<StoredCount['data']['lines']>[number][] | undefined => {
  const list: NonNullable<StoredCount['data']['lines']>[number][] = [];
  if (pieces.closes()) return list;
  while (list.length < 5000) {
    const found1 = pieces.take(countLinesPiece);
    if (found1 === undefined || !(found1[1] === undefined || hasCheckDigit(found1[1])) || !(found1[2] === undefined || isItemId(found1[2])) || !isNotNegative(found1[3] as string)) return undefined;
    const item = { gtin: found1[1], itemId: found1[2] };
    if (itemIsNamed(item) !== undefined) return undefined;
    list.push({ item, countedQuantity: found1[3] as string });
    if (pieces.closes()) return list;
    if (!pieces.goesOn()) return undefined;
  }
  return undefined;
};

const count = (pieces: TextPieces): StoredCount['data'] | undefined => {
  const found1 = pieces.take(countPiece1);
  if (found1 === undefined || !(found1[2] === undefined || hasCheckDigit(found1[2])) || !isInstant(found1[5] as string)) return undefined;
  const lines = countLines(pieces);
  if (lines === undefined) return undefined;
  const found2 = pieces.take(countPiece2);
  if (found2 === undefined) return undefined;
  return { site: { storeId: found1[1] as string }, location: found1[3], scope: (found1[4] ?? 'LOCATION_FULL') as 'LOCATION_FULL' | 'ITEMS', countedAt: found1[5] as string, lines };
};

/** Undefined if the text is not canonical or breaks a rule. The caller checks ids that derive from the data. */
export const readCanonical = (text: string): StoredEvent | undefined => {
  const pieces = new TextPieces(text);
  const found1 = pieces.take(envelopePiece);
  if (found1 === undefined || !(found1[1] === undefined || isInstant(found1[1])) || !pattern1.test(found1[2] as string) || !(found1[3] === undefined || pattern1.test(found1[3])) || !isInstant(found1[4] as string)) return undefined;
  const recordedtime = found1[1];
  const id = found1[2] as string;
  const time = found1[4] as string;
  const traceparent = found1[5];
  const type = (found1[6] ?? 'org.branchline.pos.transaction.completed.v1') as 'org.branchline.pos.transaction.completed.v1' | 'org.branchline.pos.transaction.voided.v1' | 'org.branchline.pos.transaction.aborted.v1' | 'org.branchline.pos.day.closed.v1' | 'org.branchline.stock.movement.recorded.v1' | 'org.branchline.stock.count.recorded.v1';
  switch (type) {
    case 'org.branchline.pos.transaction.completed.v1': {
      const data = transaction(pieces);
      if (data === undefined || completedIsConsistent(data) !== undefined) return undefined;
      return { id, time, recordedtime, traceparent, type, data };
    }
    case 'org.branchline.pos.transaction.voided.v1': {
      const data = transaction(pieces);
      if (data === undefined || voidIsConsistent(data) !== undefined) return undefined;
      return { id, time, recordedtime, traceparent, type, data };
    }
    case 'org.branchline.pos.transaction.aborted.v1': {
      const data = aborted(pieces);
      if (data === undefined) return undefined;
      return { id, time, recordedtime, traceparent, type, data };
    }
    case 'org.branchline.pos.day.closed.v1': {
      const data = dayClosed(pieces);
      if (data === undefined) return undefined;
      return { id, time, recordedtime, traceparent, type, data };
    }
    case 'org.branchline.stock.movement.recorded.v1': {
      const data = movement(pieces);
      if (data === undefined || movementIsConsistent(data) !== undefined) return undefined;
      return { id, time, recordedtime, traceparent, type, data };
    }
    case 'org.branchline.stock.count.recorded.v1': {
      const data = count(pieces);
      if (data === undefined) return undefined;
      return { id, time, recordedtime, traceparent, type, data };
    }
  }
};
