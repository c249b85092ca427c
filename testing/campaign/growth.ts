import { readdirSync } from 'node:fs';
import { residentBytes } from '../bench/process-figures.ts';
import type { World } from './world.ts';
import { budgetBytes } from './world.ts';

/** Detects growth: memory and open files of every process, and the agents' databases. */
type Sample = { bytes: number; files: number };
export type Growth = {
  name: string;
  samples: number;
  early: number;
  late: number;
  max: number;
  filesMax: number;
};

const MiB = 1024 * 1024;
/** More bytes than any process of its kind ever needs, however long it runs. */
const bytesMax: Record<string, number> = {
  agent: 256 * MiB,
  bridge: 400 * MiB,
  hub: 600 * MiB,
  broker: 400 * MiB,
};
const filesMax = 400;
/** A stable process grows by no more than this factor from the second quarter of the campaign to the last. */
const growthMax = 1.5;
const slackBytes = 48 * MiB;
/** Fewer samples, less than ten minutes, say nothing about growth. */
const samplesMin = 60;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

const openFiles = (pid: number): number => {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
};

export const createGrowth = (world: World) => {
  const samples = new Map<string, Sample[]>();
  let databaseBytes = 0;
  const kinds = {
    agent: world.branches,
    bridge: world.bridges,
    hub: world.hubs,
    broker: [world.mqtt as { component: (typeof world.mqtt)['component'] }],
  };

  const all = (): Growth[] =>
    [...samples].map(([name, taken]) => {
      const bytes = taken.map((sample) => sample.bytes);
      const quarter = Math.floor(bytes.length / 4);
      return {
        name,
        samples: taken.length,
        early: median(bytes.slice(quarter, 2 * quarter)),
        late: median(bytes.slice(-quarter)),
        max: Math.max(...bytes),
        filesMax: Math.max(...taken.map((sample) => sample.files)),
      };
    });

  return {
    all,
    databaseBytes: () => databaseBytes,
    sample: async (): Promise<void> => {
      for (const [name, services] of Object.entries(kinds))
        for (const { component } of services) {
          const { pid } = component;
          if (pid === undefined) continue;
          const sample = { bytes: residentBytes(pid), files: openFiles(pid) };
          if (Number.isNaN(sample.bytes)) continue;
          samples.set(name, [...(samples.get(name) ?? []), sample]);
        }
      const statuses = await Promise.all(world.branches.map((branch) => branch.status()));
      for (const status of statuses)
        databaseBytes = Math.max(
          databaseBytes,
          Number(status?.databaseBytes ?? 0) + Number(status?.walBytes ?? 0),
        );
    },
    findings: (): string[] => [
      ...all().flatMap(({ name, samples: count, early, late, max, filesMax: files }) => [
        ...(max > (bytesMax[name] as number)
          ? [`a ${name} needed ${Math.round(max / MiB)} MiB of memory`]
          : []),
        ...(files > filesMax ? [`a ${name} had ${files} files open`] : []),
        ...(count >= samplesMin && late > early * growthMax + slackBytes
          ? [`memory of a ${name} grew from ${Math.round(early / MiB)} to ${Math.round(late / MiB)} MiB`]
          : []),
      ]),
      ...(databaseBytes > budgetBytes * 1.5
        ? [`an agent's database grew to ${Math.round(databaseBytes / MiB)} MiB`]
        : []),
    ],
  };
};
