import { join } from 'node:path';
import type { Component } from './component.ts';
import { startKafka } from './kafka.ts';
import { logsDir } from './paths.ts';
import { ensureDatabase, startPostgres } from './postgres.ts';
import { secretFrom } from './secrets.ts';

/**
 * Kafka and PostgreSQL, started here or running elsewhere. Tests start one backbone and set up several stacks on it, each
 * with a database and a topic prefix of its own.
 */
export type Backbone = {
  kafka: { address: string; component?: Component };
  postgres: {
    component?: Component;
    /** The default database. */
    database: string;
    /** As the owner of the tables. */
    ownerUrl(database: string): string;
    /** As the hub, whose role has only the rights it needs. `hub/setup.ts` creates it. */
    hubUrl(database: string): string;
    hubPassword: string;
    /** As the reports, whose role reads everything and changes next to nothing. `hub/setup.ts` creates it. */
    reportsUrl(database: string): string;
    reportsPassword: string;
    ensureDatabase(database: string): Promise<void>;
  };
  stop(): Promise<void>;
};

export type BackboneOptions = {
  dataDir: string;
  logDir?: string;
  /** host:port,… of a running Kafka, postgres:// URL of a running PostgreSQL. */
  external?: { kafka?: string | undefined; postgres?: string | undefined };
  onProgress?: (line: string) => void;
};

const withUser = (url: string, user: string, password: string): string => {
  const changed = new URL(url);
  changed.username = user;
  changed.password = password;
  return changed.href;
};

const withDatabase = (url: string, database: string): string => {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
};

const externalPostgres = (
  url: string,
): { database: string; urlOf(database: string): string; component?: Component } => {
  const database = decodeURIComponent(new URL(url).pathname.slice(1));
  if (database === '')
    throw new Error('BRANCHLINE_POSTGRES names no database: postgres://user:password@host:5432/database');
  return { database, urlOf: (name) => withDatabase(url, name) };
};

export const startBackbone = async ({
  dataDir,
  logDir = logsDir,
  external = {},
  onProgress = () => {},
}: BackboneOptions): Promise<Backbone> => {
  const [kafka, postgres] = await Promise.allSettled([
    external.kafka === undefined
      ? startKafka({ dataDir: join(dataDir, 'kafka'), logDir, onProgress })
      : { address: external.kafka },
    external.postgres === undefined
      ? startPostgres({ dataDir: join(dataDir, 'postgres'), logDir, onProgress }).then((server) => ({
          ...server,
          database: 'branchline',
        }))
      : externalPostgres(external.postgres),
  ]);
  const stop = async () => {
    const components = [kafka, postgres].map((one) =>
      one.status === 'fulfilled' && 'component' in one.value ? one.value.component : undefined,
    );
    await Promise.all(components.map((component) => component?.stop()));
  };
  if (kafka.status === 'rejected' || postgres.status === 'rejected') {
    await stop();
    throw kafka.status === 'rejected' ? kafka.reason : (postgres as PromiseRejectedResult).reason;
  }

  const { database, urlOf, ...server } = postgres.value;
  const hubPassword = secretFrom(join(dataDir, 'hub-password'));
  const reportsPassword = secretFrom(join(dataDir, 'reports-password'));
  return {
    kafka: kafka.value,
    postgres: {
      ...(server.component === undefined ? {} : { component: server.component }),
      database,
      ownerUrl: urlOf,
      hubUrl: (name) => withUser(urlOf(name), 'branchline_hub', hubPassword),
      hubPassword,
      reportsUrl: (name) => withUser(urlOf(name), 'branchline_reports', reportsPassword),
      reportsPassword,
      // A server elsewhere may have no database `postgres` that we may use; the named database exists.
      ensureDatabase: async (name) =>
        external.postgres !== undefined && name === database
          ? undefined
          : ensureDatabase(urlOf(external.postgres === undefined ? 'postgres' : database), name),
    },
    stop,
  };
};
