import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backbone, startBackbone } from '@branchline/local/backbone.ts';
import { afterAll, beforeAll } from 'vitest';
import { hasData } from './scenario.ts';

/** Kafka and PostgreSQL for the scenarios of one test file; nothing is started when the data set is missing. */
export const useBackbone = (): (() => Backbone) => {
  let folder: string;
  let backbone: Backbone;
  beforeAll(async () => {
    if (!hasData) return;
    folder = mkdtempSync(join(tmpdir(), 'branchline-faults-'));
    backbone = await startBackbone({ dataDir: join(folder, 'data'), logDir: join(folder, 'logs') });
  });
  afterAll(async () => {
    if (!hasData) return;
    await backbone.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return () => backbone;
};
