import { defineConfig } from 'vitest/config';

/** Bounds are only for what hangs: on a busy machine the default of one second is nothing. */
const expect = { poll: { timeout: 20_000 } };

/**
 * Four projects. `unit`: the tests beside the code, in parallel. `real`: with brokers, databases and processes. `faults`:
 * breaks those while real sales go through. `browser`: the pages in a real browser, served by the real services. The last
 * three run one file at a time, because a machine with two cores has no room for more.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{contracts,kernel,drivers,simulators,edge-agent,bridge,hub,deploy}/**/*.test.ts',
            'testing/*.test.ts',
            'testing/{campaign,tidy,world}/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**'],
          testTimeout: 60_000,
          expect,
        },
      },
      {
        test: {
          name: 'real',
          include: ['testing/{conformance,end-to-end}/**/*.test.ts'],
          globalSetup: 'testing/world/postgres-server.ts',
          exclude: ['**/node_modules/**'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['testing/faults/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['testing/browser/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect,
        },
      },
    ],
  },
});
