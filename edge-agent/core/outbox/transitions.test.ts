import { changesBetween, impliedBy, snapshot } from '@branchline/testing/world/outbox-snapshot.ts';
import { transitions } from '@branchline/testing/world/outbox-transitions.ts';
import { describe, expect, it } from 'vitest';
import { step } from '../outbox.ts';
import type { OutboxEffect } from './state.ts';

/** Every row of docs/outbox.md, seen to happen. */

const named = (effects: OutboxEffect[]): string[] =>
  effects
    .map((effect) => (effect.do === 'alarm' ? `alarm ${effect.alarm}` : effect.do))
    .filter((name, i, all) => name !== all[i - 1]);

describe.each(Object.entries(transitions))('the input %s', (kind, rows) => {
  it.each(rows)('when $when: $outcome', ({ given, input, now = 0, congested, changes, effects }) => {
    expect(input.kind).toBe(kind);
    const outbox = given();
    const before = snapshot(outbox);
    const done = step(outbox, input, now, congested);
    expect(named(done)).toEqual(effects);
    const implied = new Set(done.flatMap((effect) => impliedBy[effect.do]));
    const changed = changesBetween(before, snapshot(outbox));
    // What the row says has happened, and nothing has that neither the row nor its effects say.
    expect(changes.filter((field) => !changed.has(field))).toEqual([]);
    expect([...changed].filter((field) => !implied.has(field) && !changes.includes(field))).toEqual([]);
  });
});
