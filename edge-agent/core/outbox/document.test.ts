import { readFileSync } from 'node:fs';
import { tables, withTables } from '@branchline/testing/world/outbox-document.ts';
import { transitions } from '@branchline/testing/world/outbox-transitions.ts';
import { expect, it } from 'vitest';

const document = readFileSync(new URL('../../../docs/outbox.md', import.meta.url), 'utf8');
const code = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

/** `npx vitest run --update` with this file writes the tables of the document anew. */
it('docs/outbox.md shows the state, the inputs, the effects and the transitions of the code', async () => {
  expect(Object.keys(tables).filter((name) => !document.includes(`<!-- table: ${name} -->`))).toEqual([]);
  await expect(withTables(document)).toMatchFileSnapshot('../../../docs/outbox.md');
});

it('every input is dispatched and has transitions, and every effect and alarm occurs in one', () => {
  const inputs = [...code('../outbox.ts').matchAll(/^ {4}case '([a-z-]+)':/gm)].map((found) => found[1]);
  expect(Object.keys(transitions).sort()).toEqual(inputs.sort());
  expect(Object.values(transitions).filter((rows) => rows.length === 0)).toEqual([]);

  const state = code('./state.ts');
  const declared = [
    ...[...state.matchAll(/^ {2}\| \(?\{ do: '([a-z-]+)'/gm)]
      .map((found) => found[1])
      .filter((name) => name !== 'alarm'),
    ...[...(/AlarmKind =([^;]+);/.exec(state)?.[1] ?? '').matchAll(/'([a-z-]+)'/g)].map(
      (found) => `alarm ${found[1]}`,
    ),
  ];
  expect(declared.length).toBe(7 + 9);
  const seen = new Set(Object.values(transitions).flatMap((rows) => rows.flatMap(({ effects }) => effects)));
  expect([...seen].sort()).toEqual(declared.sort());
});
