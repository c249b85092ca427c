/**
 * Bounds the bodies that all connections together hold outside the heap: those that are arriving, and those that wait for
 * their turn. A request that does not fit is refused while it is small, and its till comes back.
 */
export const bodyBytesInHandMax = 16 * 1024 * 1024;

export type Loan = {
  /** From now on the request holds this many bytes. False, and nothing changes, when they do not fit. */
  resize(bytes: number): boolean;
  end(): void;
};

export const createByteBudget = (bytesMax = bodyBytesInHandMax) => {
  let inHand = 0;
  return {
    bytesInHand: () => inHand,
    open: (): Loan => {
      let mine = 0;
      const resize = (bytes: number): boolean => {
        if (bytes > mine && inHand - mine + bytes > bytesMax) return false;
        inHand += bytes - mine;
        mine = bytes;
        return true;
      };
      return { resize, end: () => void resize(0) };
    },
  };
};
export type ByteBudget = ReturnType<typeof createByteBudget>;
