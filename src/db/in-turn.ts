/** Reads something anew at each call, one after the other: of two readings at once the older could win. */
export function inTurn(read: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    const mine = last.then(read);
    last = mine.catch(() => undefined);
    return mine;
  };
}
