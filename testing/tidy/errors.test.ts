import { errors } from '@branchline/contracts/errors.ts';
import { expect, test } from 'vitest';
import { code, isForTests, textOf } from './tree.ts';

const documented = [...textOf('docs/errors.md').matchAll(/^\| `([a-z-]+)` \| (yes|no) \| (.+) \|$/gm)].map(
  ([, name, retry, hint]) => ({ name, retry: retry === 'yes', hint }),
);

test('docs/errors.md lists the codes of contracts/errors.ts, in its order, with the same retry and hint', () => {
  expect(documented).toEqual(Object.entries(errors).map(([name, error]) => ({ name, ...error })));
});

test('every error code is used by something that ships', () => {
  const services = code
    .filter((path) => /^(contracts|edge-agent|bridge|hub)\//.test(path) && !isForTests(path))
    .filter((path) => path !== 'contracts/errors.ts')
    .map(textOf)
    .join('\n');
  expect(Object.keys(errors).filter((name) => !services.includes(`'${name}'`))).toEqual([]);
});
