import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Engine } from './engine.ts';
import type { Asked, Attributes, Tracing } from '../telemetry/tracing.ts';

/** What a statement does and to which table, from its words; its parameters are elsewhere and never in it. */
function summaryOf(text: string): Attributes {
  const operation = /^\W*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'SQL';
  const table = /\b(?:FROM|INTO|UPDATE|JOIN)\s+"?([a-z_]+)/.exec(text)?.[1];
  const summary = table ? `${operation} ${table}` : operation;
  return { 'db.system.name': 'postgresql', 'db.operation.name': operation, 'db.query.summary': summary };
}

function traced(engine: Engine, tracing: Tracing): Engine {
  // The texts of prepared statements are few; those that are built for one call are not kept.
  const known = new Map<string, Attributes>();
  const about = (text: string, prepare: boolean) => {
    const summary = known.get(text) ?? summaryOf(text);
    if (prepare) known.set(text, summary);
    return summary;
  };
  const asking =
    (query: Engine['query']): Engine['query'] =>
    (text, params, prepare) => {
      const summary = about(text, prepare);
      return tracing.span('call', String(summary['db.query.summary']), summary, () =>
        query(text, params, prepare),
      );
    };
  return {
    ...engine,
    query: asking((text, params, prepare) => engine.query(text, params, prepare)),
    transaction: (work, pace) =>
      tracing.span('inside', 'transaction', { 'db.system.name': 'postgresql' }, () =>
        engine.transaction((query) => work(asking(query)), pace),
      ),
  };
}

/** Counts what each request asks, BEGIN and COMMIT included, and makes spans of it where requests are traced. */
export function watchedEngine(engine: Engine, requests: AsyncLocalStorage<Asked>, tracing: Tracing): Engine {
  const noted = (statements: number) => {
    const request = requests.getStore();
    if (request) request.statements += statements;
  };
  const counting =
    (query: Engine['query']): Engine['query'] =>
    (text, params, prepare) => {
      noted(1);
      return query(text, params, prepare);
    };
  const counted: Engine = {
    ...engine,
    query: counting((text, params, prepare) => engine.query(text, params, prepare)),
    transaction(work, pace) {
      noted(2);
      return engine.transaction((query) => work(counting(query)), pace);
    },
  };
  return tracing.on ? traced(counted, tracing) : counted;
}
