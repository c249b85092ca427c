/**
 * How Node is started for an agent, in one place: benchmarks, the bundle's start script and installers take it from
 * here. Chosen with `npm run bench -- memory`, which fills an agent with 1,000,000 events.
 */

/**
 * The two that NODE_OPTIONS takes as well. A young generation of 3 × 4 MB: with less, the events of a request outlive
 * it, and clearing them away costs the main thread a third of its time.
 */
export const heapFlags = ['--max-semi-space-size=4', '--max-old-space-size=48'];

export const nodeFlags = [
  ...heapFlags,
  // Lets the agent give memory back after a busy time (io/return-memory.ts); V8 by itself keeps it.
  '--expose-gc',
  // A branch device has a core or two: threads that help with collecting and compiling only add stacks and arenas.
  '--single-threaded-gc',
  '--v8-pool-size=1',
];

/**
 * For glibc's allocator, and without meaning to any other: one arena, and what is freed goes back to the system: blocks
 * from 32 KiB on, which are request bodies and frames, each by itself.
 */
export const environment = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '65536',
  MALLOC_TOP_PAD_: '65536',
} as const;
