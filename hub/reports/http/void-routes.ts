import { voidRow } from '../contract.ts';
import { instantText } from '../figures/shape.ts';
import { readVoids } from '../io/void-query.ts';
import { type Api, anySites, day, flag, idsOf, type Ports, sitesOf } from './api.ts';
import { listRoute, pageOf } from './list-route.ts';
import { ApiProblem } from './problem.ts';

const isDay = (value: string): boolean => day.safeParse(value).success;

export const voidRoutes = (app: Api, { pool, views }: Ports): void =>
  listRoute(
    app,
    '/voids',
    {
      summary: 'Voids and the sales that they take back, with a flag where that cannot be right',
      query: {
        site: anySites,
        day: day.optional().describe("the void's business day; all days when absent"),
        flagged: flag.optional().describe('true: only voids with a flag'),
      },
      row: voidRow,
      key: ['string', 'string', 'string', 'string', 'string'],
      usual: 100,
      most: 5_000,
    },
    async (query, { limit, after }) => {
      if (after !== undefined && !(isDay(after[0]) && isDay(after[3])))
        throw new ApiProblem('bad-cursor', 'cursor of another list');
      const found = await readVoids(pool, {
        siteIds: idsOf(sitesOf(await views.now(), query.site)),
        day: query.day,
        flaggedOnly: query.flagged === true,
        after,
        limit,
      });
      return pageOf(
        found,
        limit,
        ({ businessDay, site, id, voids }) => [businessDay, site, id, voids.businessDay, voids.id],
        (one) => ({ ...one, at: instantText(one.at) }),
      );
    },
  );
