import { expect, test } from 'vitest';
import { readPageFiles } from './page-files.ts';

test('everything that a module of the dashboard imports is served', () => {
  const files = readPageFiles(new URL('../../dashboard/', import.meta.url));
  const imported = [...files].flatMap(([path, { type, body }]) =>
    type.startsWith('text/javascript') && !path.startsWith('/dashboard/vendor/')
      ? Array.from(
          body.toString('utf8').matchAll(/^(?:import|export)[^;]*? from '([^']+)'/gm),
          ([, from]) => new URL(from as string, `http://hub${path}`).pathname,
        )
      : [],
  );
  expect(imported).toContain('/contracts/currency.ts');
  expect([...new Set(imported)].filter((path) => !files.has(path))).toEqual([]);
});
