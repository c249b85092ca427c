import { changesBetween, impliedBy, snapshot } from '@branchline/testing/world/outbox-snapshot.ts';
import { transitions } from '@branchline/testing/world/outbox-transitions.ts';
import { describe, expect, it } from 'vitest';
import { step } from '../outbox.ts';
import type { OutboxEffect } from './state.ts';

/** Drives the outbox through every row of docs/outbox.md. */

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
    // All that the row claims has changed, and nothing else but what its effects imply.
    expect(changes.filter((field) => !changed.has(field))).toEqual([]);
    expect([...changed].filter((field) => !implied.has(field) && !changes.includes(field))).toEqual([]);
  });
});
