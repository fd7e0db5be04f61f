/** How much is gathered. */
export interface BatchOptions<In> {
  /** Pieces in one batch. */
  most: number;
  /** Batches under way at once; what comes meanwhile waits and goes together. */
  abreast: number;
  /** What a piece touches that no other piece of the same batch may; the second one waits for the next batch. */
  touches?: (item: In) => readonly string[];
}

/** Milliseconds after which a batch holds up nobody else: it waits for a lock that somebody has. */
const slowBatchMs = 25;
/** Batches under way at once with those that hold up nobody; the pool has room for others beside them. */
const maxConcurrency = 6;

interface PendingItem<In, Out> {
  piece: In;
  done: (result: Out) => void;
  failed: (error: unknown) => void;
}

/**
 * Does the work of many requests together: one statement that carries twenty pieces costs little more than one that
 * carries a single one. Nobody waits for company: a piece that comes alone goes at once, and only what comes while
 * `abreast` batches are under way goes in company. `run` answers for each piece in its place.
 *
 * A batch that is held up, by somebody's lock, holds up no other. Where one fails each of its pieces is told so, and goes
 * on alone if it can: one piece's fault is never another's.
 */
export function createBatcher<In, Out>(
  run: (items: readonly In[]) => Promise<readonly Out[]>,
  { most: batchSize, abreast: concurrency, touches: conflictKeys }: BatchOptions<In>,
): (item: In) => Promise<Out> {
  let waiting: PendingItem<In, Out>[] = [];
  let running = 0;
  let runningFast = 0;
  let scheduled = false;

  const takeBatch = (): PendingItem<In, Out>[] => {
    if (!conflictKeys) return waiting.splice(0, batchSize);
    const batch: PendingItem<In, Out>[] = [];
    const remaining: PendingItem<In, Out>[] = [];
    const usedKeys = new Set<string>();
    for (const pending of waiting) {
      const keys = batch.length < batchSize ? conflictKeys(pending.piece) : [];
      const fits = batch.length < batchSize && !keys.some((name) => usedKeys.has(name));
      // What waits keeps its place: whoever comes later must not touch it first.
      for (const name of keys) usedKeys.add(name);
      (fits ? batch : remaining).push(pending);
    }
    waiting = remaining;
    return batch;
  };

  const runBatch = async (batch: readonly PendingItem<In, Out>[]) => {
    try {
      const results = await run(batch.map(({ piece: item }) => item));
      for (const [index, { done: resolve }] of batch.entries()) resolve(results[index] as Out);
    } catch (fault) {
      for (const { failed: reject } of batch) reject(fault);
    }
  };

  const startBatch = (batch: readonly PendingItem<In, Out>[]) => {
    let countsAsFast = true;
    running += 1;
    runningFast += 1;
    const stopCounting = () => {
      if (countsAsFast) runningFast -= 1;
      countsAsFast = false;
    };
    const slowTimer = setTimeout(() => {
      stopCounting();
      startBatches();
    }, slowBatchMs);
    const onEnd = () => {
      clearTimeout(slowTimer);
      stopCounting();
      running -= 1;
      startBatches();
    };
    runBatch(batch).then(onEnd, onEnd);
  };

  const hasRoom = () => runningFast < concurrency && running < maxConcurrency && waiting.length > 0;
  const startBatches = () => {
    scheduled = false;
    while (hasRoom()) startBatch(takeBatch());
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ piece: item, done: resolve, failed: reject });
      if (scheduled || runningFast >= concurrency) return;
      scheduled = true;
      // After everything that this turn of the event loop has read: what arrived together goes together.
      setImmediate(startBatches);
    });
}
