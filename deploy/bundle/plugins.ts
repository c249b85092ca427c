import type { Plugin } from 'esbuild';

/** Plugins for single packages. Each saves memory at run time; none changes behaviour. */

/**
 * An `import` of `node:http` reads all of its exports, and one of them is a getter that loads all of undici: 1.7 MB of
 * heap. `process.getBuiltinModule` leaves the getter alone.
 */
export const lazyHttp: Plugin = {
  name: 'lazy-http',
  setup: (build) => {
    build.onResolve({ filter: /^(node:)?https?$/ }, ({ path }) => ({
      path: path.replace(/^node:/, ''),
      namespace: 'lazy-http',
    }));
    build.onLoad({ filter: /.*/, namespace: 'lazy-http' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(`node:${path}`)});`,
      loader: 'js',
    }));
  },
};

/** mqtt.js uses this package in browsers only. */
export const withoutWorkerTimers: Plugin = {
  name: 'without-worker-timers',
  setup: (build) => {
    build.onResolve({ filter: /^worker-timers$/ }, ({ path }) => ({ path, namespace: 'browser-only' }));
    build.onLoad({ filter: /.*/, namespace: 'browser-only' }, () => ({ contents: '', loader: 'js' }));
  },
};
