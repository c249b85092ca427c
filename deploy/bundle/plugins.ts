import type { Plugin } from 'esbuild';

/** What esbuild is told about single packages. Each saves memory of the running service; none changes what it does. */

/**
 * An `import` of `node:http` reads all of its exports, and one of them is a getter that loads the whole of undici:
 * 1.7 MB of heap. Asked for as a built-in module it stays lazy.
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

/** mqtt.js uses it in browsers only. */
export const withoutWorkerTimers: Plugin = {
  name: 'without-worker-timers',
  setup: (build) => {
    build.onResolve({ filter: /^worker-timers$/ }, ({ path }) => ({ path, namespace: 'browser-only' }));
    build.onLoad({ filter: /.*/, namespace: 'browser-only' }, () => ({ contents: '', loader: 'js' }));
  },
};
