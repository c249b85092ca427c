/**
 * How Node is started for a hub, in one place. A slice's events live until it is committed, and several slices are under
 * way: with V8's own 16 MB they outlive the young generation and are copied again and again, which cost an eighth and a
 * fifth of what an event costs the hub in two comparisons on a busy machine. Takes up to 3 × 64 MB more memory.
 */
export const nodeFlags = ['--max-semi-space-size=64'] as const;
