import type { Stack } from './stack.ts';

/** The figures of the status block. Counts are events since the databases were created. */
export type Snapshot = {
  online: number;
  offline: string[];
  accepted: number;
  recorded: number;
  applied: number;
  pending: number;
  duplicates: number;
  /** Undefined while the hub does not answer. */
  lagSeconds: number | undefined;
  /** Components that are not running. */
  down: string[];
};

const number = (from: Record<string, unknown> | undefined, key: string): number => {
  const value = from?.[key];
  return typeof value === 'number' ? value : 0;
};

/** Remembers each agent's latest status, so that the sums do not jump while an agent restarts. */
export const createSnapshots = (stack: Stack): (() => Promise<Snapshot>) => {
  const last = new Map<string, Record<string, unknown>>();
  return async () => {
    const [hub, ...agents] = await Promise.all([
      stack.hub.status(),
      ...stack.branches.map((one) => one.status()),
    ]);
    const offline: string[] = [];
    for (const [i, { site }] of stack.branches.entries()) {
      const status = agents[i];
      if (status?.linkUp !== true) offline.push(site);
      if (status !== undefined) last.set(site, status);
    }
    const sum = (key: string) => [...last.values()].reduce((total, status) => total + number(status, key), 0);
    return {
      online: stack.branches.length - offline.length,
      offline,
      accepted: sum('accepted'),
      recorded: sum('recorded'),
      applied: sum('applied'),
      pending: sum('pending'),
      duplicates: number(hub?.books as Record<string, unknown> | undefined, 'duplicates'),
      lagSeconds: hub === undefined ? undefined : number(hub, 'lagSeconds'),
      down: stack
        .components()
        .filter((component) => component.pid === undefined)
        .map((component) => component.name),
    };
  };
};
