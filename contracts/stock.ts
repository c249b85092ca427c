import * as z from 'zod';
import { isNotNegative } from './decimal.ts';
import { envelope, eventId, instant, site } from './event.ts';
import { itemSchema, quantity, unitOfMeasure } from './item.ts';
import { limits } from './limits.ts';
import { type MovementReason, movementIsConsistent, movementSigns, obeys } from './rules.ts';

/**
 * Stock events: relative movements and absolute counts. The hub derives from a transaction what a sale or a return does to
 * stock; a till that also sent a movement would take every item off the shelf twice.
 */
export const stockTypes = {
  movement: 'org.branchline.stock.movement.recorded.v1',
  count: 'org.branchline.stock.count.recorded.v1',
} as const;

const movementReasons = Object.keys(movementSigns) as [MovementReason, ...MovementReason[]];

const location = z
  .string()
  .regex(/^[a-z0-9-]{1,32}$/, 'a location is lower-case letters, digits and hyphens');

const movementSchema = (object: typeof z.strictObject | typeof z.object) =>
  object({
    site: object(site),
    location: location.optional(),
    movementId: eventId,
    reason: z.enum(movementReasons),
    lines: z
      .array(
        object({
          item: itemSchema(object),
          quantity,
          uom: unitOfMeasure.optional(),
          lot: z.string().max(64).optional(),
          expiry: z.string().max(32).optional(),
        }),
      )
      .min(1)
      .max(limits.linesPerEventMax),
    bizTransactions: z
      .array(object({ type: z.enum(['po', 'desadv', 'inv', 'rma']), id: z.string().max(64) }))
      .max(16)
      .optional(),
    transferId: z.string().max(64).optional(),
    source: z.string().max(64).optional(),
    destination: z.string().max(64).optional(),
    corrects: eventId.optional(),
    note: z.string().max(200).optional(),
  }).check(obeys(movementIsConsistent));

/** LOCATION_FULL: items that are not listed are zero. ITEMS: they are untouched. Confusing the two empties a store. */
const countSchema = (object: typeof z.strictObject | typeof z.object) =>
  object({
    site: object(site),
    location: location.optional(),
    scope: z.enum(['LOCATION_FULL', 'ITEMS']),
    countedAt: instant,
    lines: z
      .array(
        object({
          item: itemSchema(object),
          countedQuantity: quantity.refine(isNotNegative, 'a counted quantity is not negative'),
          uom: unitOfMeasure.optional(),
        }),
      )
      .max(limits.linesPerEventMax),
  });

export type Movement = z.infer<ReturnType<typeof movementSchema>>;
export type Count = z.infer<ReturnType<typeof countSchema>>;

export const stockSchemas = (object: typeof z.strictObject | typeof z.object) =>
  [
    object({ ...envelope, type: z.literal(stockTypes.movement), data: movementSchema(object) }),
    object({ ...envelope, type: z.literal(stockTypes.count), data: countSchema(object) }),
  ] as const;
