import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Engine } from './engine.ts';
import type { Asked, Attributes, Tracing } from '../telemetry/tracing.ts';

/** What a statement does and to which table, from its words; its parameters are elsewhere and never in it. */
function summarizeStatement(text: string): Attributes {
  const operation = /^\W*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'SQL';
  const table = /\b(?:FROM|INTO|UPDATE|JOIN)\s+"?([a-z_]+)/.exec(text)?.[1];
  const summary = table ? `${operation} ${table}` : operation;
  return { 'db.system.name': 'postgresql', 'db.operation.name': operation, 'db.query.summary': summary };
}

function traceEngine(engine: Engine, tracing: Tracing): Engine {
  // The texts of prepared statements are few; those that are built for one call are not kept.
  const known = new Map<string, Attributes>();
  const attributesOf = (text: string, prepare: boolean) => {
    const summary = known.get(text) ?? summarizeStatement(text);
    if (prepare) known.set(text, summary);
    return summary;
  };
  const traceQuery =
    (query: Engine['query']): Engine['query'] =>
    (text, params, prepare) => {
      const summary = attributesOf(text, prepare);
      return tracing.span('call', String(summary['db.query.summary']), summary, () =>
        query(text, params, prepare),
      );
    };
  return {
    ...engine,
    query: traceQuery((text, params, prepare) => engine.query(text, params, prepare)),
    transaction: (work, options) =>
      tracing.span('inside', 'transaction', { 'db.system.name': 'postgresql' }, () =>
        engine.transaction((query) => work(traceQuery(query)), options),
      ),
  };
}

/** Counts what each request asks, BEGIN and COMMIT included, and makes spans of it where requests are traced. */
export function instrumentEngine(
  engine: Engine,
  requests: AsyncLocalStorage<Asked>,
  tracing: Tracing,
): Engine {
  const countStatements = (statements: number) => {
    const request = requests.getStore();
    if (request) request.statements += statements;
  };
  const countQuery =
    (query: Engine['query']): Engine['query'] =>
    (text, params, prepare) => {
      countStatements(1);
      return query(text, params, prepare);
    };
  const counted: Engine = {
    ...engine,
    query: countQuery((text, params, prepare) => engine.query(text, params, prepare)),
    transaction(work, options) {
      countStatements(2);
      return engine.transaction((query) => work(countQuery(query)), options);
    },
  };
  return tracing.on ? traceEngine(counted, tracing) : counted;
}
