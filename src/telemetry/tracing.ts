/** What a span tells besides its name and its time: names and numbers of ours, never what came in or goes out. */
export type Attributes = Record<string, string | number | boolean>;

/** What goes on under one request or chore, until it is ended. */
export interface RequestSpan {
  /** Runs what belongs to it. */
  run<T>(work: () => T): T;
  end(result: { name: string; attributes: Attributes; failed: boolean }): void;
  ids: TraceIds;
}

// The names that collectors of logs look for.
export interface TraceIds {
  trace_id: string;
  span_id: string;
}

/** The database statements of one request, as they are counted. */
export interface Asked {
  statements: number;
}

/** Says where the time of a request went (OpenTelemetry), or nothing at all. */
export interface Tracing {
  on: boolean;
  /** Begins the span of a request, under the one that its sender names (W3C Trace Context). */
  request(method: string, headers: Record<string, string | string[] | undefined>): RequestSpan | undefined;
  /**
   * Runs work in a span of its own, under the one that is open; where none is, only `send` begins one. A fault is told by
   * its code and not by its words.
   */
  span<T>(kind: SpanKind, name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
  /** Adds a fact to the span that is open. */
  note(attributes: Attributes): void;
  /** The span that is open; for lines of the log. */
  ids(): TraceIds | undefined;
  /** What an outgoing request carries, so that its receiver's spans hang under this one. */
  carried(): Record<string, string>;
  /** Sends what waits to be sent, for two seconds at most. */
  stop(): Promise<void>;
}

/** `call`: the database does it. `inside`: this process does it. `send`: it leaves the house, whoever began it. */
export type SpanKind = 'call' | 'inside' | 'send';

export const noopTracing: Tracing = {
  on: false,
  request: () => undefined,
  span: (_kind, _name, _attributes, work) => work(),
  note: () => undefined,
  ids: () => undefined,
  carried: () => ({}),
  stop: () => Promise.resolve(),
};

export type Environment = Record<string, string | undefined>;

/** Whether the operator asked for traces, by the variables that OpenTelemetry defines. */
export function isTraced(env: Environment): boolean {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none')
    return false;
  return Boolean(env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT']);
}

/**
 * Traces where an address to send them to is given; whoever gives none loads nothing of it and pays nothing.
 * `warn`: hears what an operator must know, such as that nobody takes the traces.
 */
export async function loadTracing(
  env: Environment,
  version: string,
  warn: (text: string) => void,
): Promise<Tracing> {
  if (!isTraced(env)) return noopTracing;
  const { startTracing: openTracing } = await import('./spans.ts');
  return openTracing(env, version, warn);
}
