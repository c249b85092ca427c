/**
 * Bounds the bodies that all connections together hold outside the heap: those arriving and those waiting their turn. A request
 * that does not fit is refused while it is still small, and the till sends it again.
 */
export const bodyBytesInHandMax = 16 * 1024 * 1024;

export type Loan = {
  /** The request now holds this many bytes. Returns false, and changes nothing, if they do not fit. */
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
