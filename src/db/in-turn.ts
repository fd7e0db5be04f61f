/** Reads something anew at each call, one after the other: of two readings at once the older could win. */
export function serializeCalls(read: () => Promise<void>): () => Promise<void> {
  let previous = Promise.resolve();
  return () => {
    const current = previous.then(read);
    previous = current.catch(() => undefined);
    return current;
  };
}
