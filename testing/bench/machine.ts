import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import pg from 'pg';

const require = createRequire(import.meta.url);

/** From the lockfile, because not every package exports its package.json. */
const versionOf = (name: string): string => {
  const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
    packages: Record<string, { version?: string }>;
  };
  return lock.packages[`node_modules/${name}`]?.version ?? 'unknown';
};

const kafkaVersion = (): string => {
  const pom = readFileSync(new URL('../../deploy/local/kafka/pom.xml', import.meta.url), 'utf8');
  return /<artifactId>kafka_[^<]*<\/artifactId>\s*<version>([^<]*)</.exec(pom)?.[1] ?? 'unknown';
};

/** The machine and the versions that the figures belong to. */
export const describeMachine = async (postgresUrl: string): Promise<Record<string, string>> => {
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  const { rows } = await client.query<{ server_version: string }>('show server_version');
  await client.end();
  const Database = require('better-sqlite3') as new (
    file: string,
  ) => {
    prepare(sql: string): { pluck(): { get(): string } };
  };
  const sqlite = new Database(':memory:').prepare('select sqlite_version()').pluck().get();
  return {
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${release()} ${arch()}`,
    load: `${loadavg()[0]?.toFixed(2)} before the start (1 minute average)`,
    node: process.version,
    kafka: kafkaVersion(),
    postgresql: rows[0]?.server_version ?? 'unknown',
    sqlite,
    libraries: ['better-sqlite3', 'kafkajs', 'mqtt', 'aedes', 'pg', 'zod']
      .map((name) => `${name} ${versionOf(name)}`)
      .join(', '),
  };
};
