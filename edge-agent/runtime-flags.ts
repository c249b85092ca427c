/**
 * The flags and environment with which Node runs an agent; benchmarks, the bundle's start script and installers take them
 * from here. Chosen with `npm run bench -- memory`, which fills an agent with 1,000,000 events.
 */

/**
 * The flags that NODE_OPTIONS allows too. A young generation of 3 × 4 MB: with less, the events of a request outlive it,
 * and collecting them costs the main thread a third of its time.
 */
export const heapFlags = ['--max-semi-space-size=4', '--max-old-space-size=48'];

export const nodeFlags = [
  ...heapFlags,
  // Lets the agent return memory after a busy time (io/return-memory.ts); V8 would keep it.
  '--expose-gc',
  // A branch device has one or two cores: helper threads for garbage collection and compilation only add stacks and arenas.
  '--single-threaded-gc',
  '--v8-pool-size=1',
];

/**
 * For glibc's allocator; others ignore it. One arena, and freed memory goes back to the system: blocks from 32 KiB on, which
 * are request bodies and frames, one by one.
 */
export const environment = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '65536',
  MALLOC_TOP_PAD_: '65536',
} as const;
