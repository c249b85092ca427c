import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@branchline/kernel/random.ts';
import type { Component } from '@branchline/local/component.ts';
import type { Card } from './deal.ts';
import type { World } from './world.ts';

/** What a fault leaves behind once it has ended: the process was killed, the line is open, the server runs again. */
export type Struck = {
  detail: string;
  /** The books went back in time: what they held may have to come again. */
  wentBack?: boolean;
  /** A further condition for the fault to count as recovered from. */
  recovered?(): Promise<boolean>;
};

export type FaultKind = Card & {
  /** One line for people. */
  about: string;
  /** Why this machine cannot do it; undefined if it can. */
  isMissing?(): Promise<string | undefined>;
  strike(world: World, chances: Chances): Promise<Struck>;
};

export type Chances = {
  oneOf<T>(choices: readonly T[]): T;
  /** Waits a random time, in seconds. */
  wait(minSeconds: number, maxSeconds: number): Promise<string>;
};

export const chancesFrom = (random: Random): Chances => ({
  oneOf: (choices) => choices[Math.floor(random() * choices.length)] as (typeof choices)[number],
  wait: async (min, max) => {
    const seconds = min + random() * (max - min);
    await sleep(seconds * 1_000);
    return `${seconds.toFixed(1)} s`;
  },
});

/** A component that is just being restarted after another fault has no process yet. */
export const signal = async (component: Component, name: NodeJS.Signals): Promise<number> => {
  for (let tries = 0; tries < 300; tries++) {
    const { pid } = component;
    if (pid !== undefined && component.kill(name)) return pid;
    await sleep(100);
  }
  throw new Error(`${component.name} has no process to send ${name} to`);
};
