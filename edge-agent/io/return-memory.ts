/**
 * Returns the memory that V8 keeps after a busy time to the system: about 30 MB for a pause of 60 ms. It needs
 * `--expose-gc` and does nothing without. Each thread has its own heap and calls this for itself.
 */
export const returnMemory = (): void => {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
};
