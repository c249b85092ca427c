import * as z from 'zod';
import { siteName } from './ids.ts';
import { isInstant } from './time.ts';

/**
 * The CloudEvents 1.0 envelope, structured JSON. A till sends it, the agent adds `recordedtime`, and nothing changes it after
 * that. `recordedtime`, a CloudEvents extension, is when the agent accepted the event, not when Kafka recorded it. Identity on
 * the wire (site, agent, stream, epoch, seq) is not part of the envelope: it travels in the frame header and in the Kafka
 * record's `bl-origin` header, so that it can only come from an authenticated topic.
 *
 * Attributes hold nothing personal (invariant P1): ids, sources and subjects name transactions, tills and items.
 */
export const instant = z
  .string()
  .refine(
    isInstant,
    'not a time with an offset, such as 2026-11-23T10:15:00+01:00 (RFC 3339), of a day that exists',
  );

/** At most 128 visible ASCII characters, because the id becomes part of a primary key and of log lines. */
export const eventId = z.string().regex(/^[\x21-\x7e]{1,128}$/, 'an id is 1 to 128 visible ASCII characters');

const producer = z
  .string()
  .regex(
    /^urn:x-retail:(?:gln:\d{13}|site:[a-z0-9-]{1,32}):(?:ws|wh):[A-Za-z0-9._-]{1,32}$/,
    'a source is urn:x-retail:site:{site}:ws:{till}; gln:{GLN} may stand for site:{site}, and wh:{device} for ws:{till}',
  );

/**
 * What a source says that contradicts the data, or undefined. A GLN is compared when the data have one; `workstationId` is
 * undefined for stock events, whose devices the data do not name.
 */
export const sourceFault = (
  source: string,
  data: { site: { storeId: string; gln?: string | undefined }; workstationId?: string },
): string | undefined => {
  const [, , scheme, site, kind, device] = source.split(':');
  const { storeId, gln } = data.site;
  const expected = scheme === 'site' ? storeId : (gln ?? site);
  if (site !== expected) return `the source is of ${site}, the data are of ${expected}`;
  if (data.workstationId === undefined || (kind === 'ws' && device === data.workstationId)) return undefined;
  return `the source is ${kind}:${device}, the data are of ws:${data.workstationId}`;
};

/** The closed list of classifications: a consumer must reject an event whose classification it does not know. */
export const dataClassification = z.enum(['public', 'internal', 'confidential', 'restricted']);

export const envelope = {
  specversion: z.literal('1.0'),
  id: eventId,
  source: producer,
  subject: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/)
    .optional(),
  time: instant,
  recordedtime: instant.optional(),
  datacontenttype: z.literal('application/json').optional(),
  dataschema: z.string().max(256).optional(),
  dataclassification: dataClassification.optional(),
  dataregulation: z.string().max(64).optional(),
  datacategory: z.string().max(64).optional(),
  traceparent: z
    .string()
    .regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
    .optional(),
} as const;

/** `storeId` is the site's name in Branchline; the GLN is its GS1 number. */
export const site = {
  storeId: siteName,
  gln: z
    .string()
    .regex(/^\d{13}$/)
    .refine(hasCheckDigit, 'wrong check digit')
    .optional(),
};

/** GS1 modulo 10, weights 3 and 1 from the right, for GTIN-14 and GLN. Source: GS1 General Specifications § 7.9. */
export function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length - 1; i++) {
    const weight = (digits.length - 1 - i) % 2 === 1 ? 3 : 1;
    sum += weight * (digits.charCodeAt(i) - 48);
  }
  return (10 - (sum % 10)) % 10 === digits.charCodeAt(digits.length - 1) - 48;
}

const recordedTimeKey = '{"recordedtime":"';

/**
 * The form in which the agent stores an event: canonical JSON with `recordedtime` in front, where `contentOf` can cut it off
 * without parsing, so that an event accepted twice has the same content both times.
 */
export const withRecordedTime = (canonicalJson: string, recordedTime: string): string =>
  `${recordedTimeKey}${recordedTime}",${canonicalJson.slice(1)}`;

const keyBytes = new TextEncoder().encode(recordedTimeKey);

/**
 * The part of a stored event that came from the till, without its first brace: two deliveries of one event share it byte for
 * byte. A stored event that does not begin with `recordedtime` came from the till in full.
 */
export const contentOf = (stored: Uint8Array): Uint8Array => {
  for (let i = 0; i < keyBytes.length; i++) if (stored[i] !== keyBytes[i]) return stored.subarray(1);
  const quote = stored.indexOf(34, keyBytes.length);
  return quote === -1 ? stored.subarray(1) : stored.subarray(quote + 2);
};
