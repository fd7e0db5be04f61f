/** How much is gathered. */
export interface Gathering<In> {
  /** Pieces in one batch. */
  most: number;
  /** Batches under way at once; what comes meanwhile waits and goes together. */
  abreast: number;
  /** What a piece touches that no other piece of the same batch may; the second one waits for the next batch. */
  touches?: (piece: In) => readonly string[];
}

/** Milliseconds after which a batch holds up nobody else: it waits for a lock that somebody has. */
const patience = 25;
/** Batches under way at once with those that hold up nobody; the pool has room for others beside them. */
const mostAbreast = 6;

interface Waiting<In, Out> {
  piece: In;
  done: (result: Out) => void;
  failed: (fault: unknown) => void;
}

/**
 * Does the work of many requests together: one statement that carries twenty pieces costs little more than one that
 * carries a single one. Nobody waits for company: a piece that comes alone goes at once, and only what comes while
 * `abreast` batches are under way goes in company. `run` answers for each piece in its place.
 *
 * A batch that is held up, by somebody's lock, holds up no other. Where one fails each of its pieces is told so, and goes
 * on alone if it can: one piece's fault is never another's.
 */
export function gathered<In, Out>(
  run: (pieces: readonly In[]) => Promise<readonly Out[]>,
  { most, abreast, touches }: Gathering<In>,
): (piece: In) => Promise<Out> {
  let waiting: Waiting<In, Out>[] = [];
  let underWay = 0;
  let counted = 0;
  let planned = false;

  const take = (): Waiting<In, Out>[] => {
    if (!touches) return waiting.splice(0, most);
    const taken: Waiting<In, Out>[] = [];
    const left: Waiting<In, Out>[] = [];
    const touched = new Set<string>();
    for (const one of waiting) {
      const those = taken.length < most ? touches(one.piece) : [];
      const fits = taken.length < most && !those.some((name) => touched.has(name));
      // What waits keeps its place: whoever comes later must not touch it first.
      for (const name of those) touched.add(name);
      (fits ? taken : left).push(one);
    }
    waiting = left;
    return taken;
  };

  const settle = async (batch: readonly Waiting<In, Out>[]) => {
    try {
      const results = await run(batch.map(({ piece }) => piece));
      for (const [at, { done }] of batch.entries()) done(results[at] as Out);
    } catch (fault) {
      for (const { failed } of batch) failed(fault);
    }
  };

  const begin = (batch: readonly Waiting<In, Out>[]) => {
    let held = true;
    underWay += 1;
    counted += 1;
    const letPass = () => {
      if (held) counted -= 1;
      held = false;
    };
    const late = setTimeout(() => {
      letPass();
      go();
    }, patience);
    const ended = () => {
      clearTimeout(late);
      letPass();
      underWay -= 1;
      go();
    };
    settle(batch).then(ended, ended);
  };

  const hasRoom = () => counted < abreast && underWay < mostAbreast && waiting.length > 0;
  const go = () => {
    planned = false;
    while (hasRoom()) begin(take());
  };

  return (piece) =>
    new Promise((done, failed) => {
      waiting.push({ piece, done, failed });
      if (planned || counted >= abreast) return;
      planned = true;
      // After everything that this turn of the event loop has read: what arrived together goes together.
      setImmediate(go);
    });
}
