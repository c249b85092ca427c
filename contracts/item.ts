import * as z from 'zod';
import { quantityPattern } from './decimal.ts';
import type { Problem } from './errors.ts';
import { hasCheckDigit } from './event.ts';
import { itemIdForm, itemIsNamed, obeys } from './rules.ts';
import { isScaleLabel, itemOnLabel, type ScaleLabel } from './scale-label.ts';

const itemIdPattern = /^[^\p{C}]{1,64}$/u;

/** 1 to 64 printable characters. Nearly all ids are ASCII; checking those by hand saves the hub 5 % of a ten-line sale. */
export const isItemId = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return itemIdPattern.test(text);
  }
  return text.length >= 1 && text.length <= 64;
};

/** A GTIN, 14 digits with leading zeros, and the retailer's own number. Numbers with prefix 2 (weighed goods) are not global. */
export const itemSchema = (object: typeof z.strictObject | typeof z.object) =>
  object({
    gtin: z
      .string()
      .regex(/^\d{14}$/, 'a GTIN is 14 digits with leading zeros')
      .refine(hasCheckDigit, 'wrong check digit')
      .optional(),
    itemId: z.string().refine(isItemId, 'an item id is 1 to 64 printable characters').optional(),
    description: z.string().max(200).optional(),
  }).check(obeys(itemIsNamed));

/**
 * The name under which the books keep an item: the retailer's own number if there is one, otherwise the GTIN. An id of blanks
 * alone, which older agents accepted, stays as it is.
 */
export const itemKey = (item: { gtin?: string | undefined; itemId?: string | undefined }): string =>
  item.itemId === undefined ? (item.gtin as string) : itemIdForm(item.itemId) || item.itemId;

export const quantity = z
  .string()
  .regex(quantityPattern, 'a quantity is a decimal string with at most 9 digits and 3 places');

/** UN/ECE Recommendation 20; H87 means "piece". */
export const unitOfMeasure = z.string().regex(/^[A-Z0-9]{2,3}$/, 'a unit is a UN/ECE Recommendation 20 code');

/**
 * Sets the id under which the books keep the item of an incoming event, or says why there is none. A scale label without an id
 * of its own gets the one that a configured pattern finds in it.
 */
export const nameItem = (
  item: { gtin?: string | undefined; itemId?: string | undefined },
  scaleLabels: readonly ScaleLabel[],
): (Problem & { where: 'gtin' | 'itemId' }) | undefined => {
  if (item.itemId !== undefined) {
    const form = itemIdForm(item.itemId);
    if (form === item.itemId) return undefined;
    if (!isItemId(form)) {
      const detail = 'an item id is 1 to 64 characters in Unicode form C, without surrounding blanks';
      return { code: 'schema', detail, where: 'itemId' };
    }
    item.itemId = form;
    return undefined;
  }
  const gtin = item.gtin as string;
  if (!isScaleLabel(gtin)) return undefined;
  item.itemId = itemOnLabel(gtin, scaleLabels);
  if (item.itemId !== undefined) return undefined;
  return {
    code: 'scale-label',
    detail: `${gtin} is the number of a scale label, not of an item`,
    where: 'gtin',
  };
};
