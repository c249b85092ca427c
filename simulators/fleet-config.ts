import { siteName } from '@branchline/contracts/ids.ts';
import { listenPort, logLevel, secrets } from '@branchline/kernel/settings.ts';
import { z } from 'zod';

/** The settings of the simulated fleet. */
export const fleetConfig = z.strictObject({
  sites: z
    .array(
      z.object({
        site: siteName,
        kind: z.enum(['store', 'warehouse']),
        agent: z.string().optional(),
        url: z.url({ protocol: /^http$/ }),
        token: z.string().optional(),
      }),
    )
    .min(1)
    .refine(
      (sites) => new Set(sites.map(({ site }) => site)).size === sites.length,
      'a site is named twice: its tills would give different transactions the same number',
    )
    .describe('JSON array of {"site","kind":"store"|"warehouse","url","token"?}, one per agent')
    .register(secrets, { isSecret: (text) => text.includes('"token"') }),
  rate: z.number().positive().default(20).describe('events per second, total of all sites'),
  seed: z.int().min(0).default(1).describe('seed of all baskets; the same seed draws the same ones'),
  zone: z.string().default('Europe/Berlin').describe('time zone of the sites'),
  currency: z
    .string()
    .default('EUR')
    .describe('ISO 4217 code of the currency, which must have two decimal digits'),
  statusPort: listenPort.default(7831).describe('HTTP port of /v1/status'),
  logLevel: logLevel.describe('least severe level that is logged'),
});
