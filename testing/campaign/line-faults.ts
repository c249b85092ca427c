import type { TcpProxy } from '../world/tcp-proxy.ts';
import type { FaultKind } from './strike.ts';
import type { World } from './world.ts';

/** Network faults, each on one of the connections of the path. */

type Line = { name: string; line: TcpProxy };

const lines: Record<string, (world: World) => Line[]> = {
  site: ({ lines: { sites } }) => [...sites].map(([name, line]) => ({ name, line })),
  bridge: ({ lines: { bridges } }) => bridges.map((line, i) => ({ name: `bridge-${i} to broker`, line })),
  kafka: ({ lines: { kafka } }) => [{ name: 'Kafka', line: kafka }],
  postgres: ({ lines: { hubs } }) => hubs.map((line, i) => ({ name: `hub-${i} to PostgreSQL`, line })),
};

const breaks: Record<
  string,
  { about: string; begin(line: TcpProxy, slowBytes: number): void; seconds: [number, number] }
> = {
  cut: { about: 'is cut for 3 to 20 s', begin: (line) => line.cut(), seconds: [3, 20] },
  'half-open': {
    about: 'swallows everything for 5 to 15 s, on its old connections for ever',
    begin: (line) => line.silence(),
    seconds: [5, 15],
  },
  slow: {
    about: 'is slow for 8 to 20 s',
    begin: (line, slowBytes) => line.slow(slowBytes),
    seconds: [8, 20],
  },
};

/** Bytes per second that delay the line's traffic without stopping it. */
const slowBytes: Record<string, number> = { site: 3_000, bridge: 10_000, kafka: 40_000, postgres: 20_000 };

const people: Record<string, string> = {
  site: "one site's line to the broker",
  bridge: "one bridge's line to the broker",
  kafka: 'the line between Kafka and everybody',
  postgres: 'the line between one hub and PostgreSQL',
};

export const lineFaults: FaultKind[] = Object.entries(lines).flatMap(([place, linesOf]) =>
  Object.entries(breaks).map(([how, { about, begin, seconds }]) => ({
    name: `${place}-line-${how}`,
    touches: place === 'kafka' || place === 'postgres' ? place : `${place}-line`,
    about: `${people[place]} ${about}`,
    strike: async (world, { oneOf, wait }) => {
      const { name, line } = oneOf(linesOf(world));
      begin(line, slowBytes[place] as number);
      const time = await wait(...seconds);
      line.open();
      return { detail: `${name} for ${time}` };
    },
  })),
);
