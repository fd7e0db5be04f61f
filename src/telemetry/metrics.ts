import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { withTimeout } from '../http/with-timeout.ts';

/** An audit event, as far as it is counted. */
export interface CountedEvent {
  event: string;
  detail?: Record<string, string | number | boolean | null>;
}

/** A request that was answered, as it is counted: no address, number or name of anybody is in it. */
export interface HttpRequestSample {
  method: string;
  /** The address's template (`/interaction/:uid/password`), never the address. */
  route: string;
  status: number;
  seconds: number;
}

/** How numbers of several processes become one: added up, or the largest where all of them count the same thing. */
export type Aggregation = 'sum' | 'max';

/** What this process counts. One registry of its own for each provider, handed to whoever counts. */
export interface Metrics {
  registry: Registry;
  answered(request: HttpRequestSample): void;
  /** Something that was asked for and not given; `error` is a code of the standard or of ours. */
  refused(endpoint: string, error: string): void;
  issued(grant: string, kind: string): void;
  /** A deed whose transaction is committed. */
  heard(event: CountedEvent): void;
  hashWaited(seconds: number): void;
  choreEnded(job: string, succeeded: boolean): void;
  /** A number that `read` tells at each reading; it may have labels, and undefined shows nothing. */
  shows(metric: MetricDefinition): void;
  /** Asks something before each reading; whoever reads waits two seconds for it at most. */
  beforeReading(refresh: () => Promise<void>): void;
  /** All of it in Prometheus's text format 0.0.4. */
  text(): Promise<string>;
  /** The same as values, for adding up what several processes count. */
  values(): Promise<unknown[]>;
}

export interface MetricDefinition {
  name: string;
  help: string;
  together?: Aggregation;
  /** Set for what only ever grows. */
  grows?: boolean;
  labels?: readonly string[];
  read: () => number | undefined | readonly (readonly [Record<string, string>, number])[];
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const factors = new Set(['password', 'totp', 'recovery-code', 'help-desk-code', 'mailed-code']);
const outcomes = new Set(['right', 'wrong', 'reused', 'expired', 'throttled']);
const acrLevels: Record<string, string> = { 'urn:hemma:1': '1', 'urn:hemma:2': '2', 'urn:hemma:3': '3' };

/** Seconds. A token takes milliseconds and a password a tenth of a second; what a page takes lies between. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const waitBuckets = [0.001, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** At most so many values of one label, whatever comes: what is beyond them, or no plain word, is `other`. */
function createLabelLimiter(maxValues: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= maxValues || !/^[a-z][a-z0-9_-]{0,59}$/.test(value)) return 'other';
    seen.add(value);
    return value;
  };
}

/** Whatever hangs is left out: old numbers are better than no answer. */
const collectTimeoutMs = 2_000;

/** A number that is asked for at each reading. */
function registerMetric(
  registry: Registry,
  {
    name,
    help,
    together: aggregator = 'sum',
    grows: isCounter,
    labels = [],
    read: readValue,
  }: MetricDefinition,
): void {
  const options = { name, help, labelNames: [...labels], registers: [registry], aggregator };
  const collect = () => {
    const now = readValue();
    metric.reset();
    if (now === undefined) metric.remove();
    else if (typeof now === 'number') metric.inc(now);
    else for (const [labels, value] of now) metric.inc(labels, value);
  };
  const metric = isCounter ? new Counter({ ...options, collect }) : new Gauge({ ...options, collect });
}

/** Everything that is counted as it happens. */
function createCounters(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const counters = {
    requests: new Histogram({
      name: 'hemma_http_request_duration_seconds',
      help: 'Requests by the template of their address and the class of their status, from the first byte read to the last byte written.',
      labelNames: ['method', 'route', 'status'],
      buckets: durationBuckets,
      registers,
    }),
    refusals: counter(
      'hemma_refusals_total',
      'What was asked for and not given, by endpoint and error code.',
      'endpoint',
      'error',
    ),
    tokens: counter(
      'hemma_tokens_issued_total',
      'Tokens by the grant that they were issued for and their kind.',
      'grant',
      'kind',
    ),
    attempts: counter(
      'hemma_sign_in_attempts_total',
      'Secrets that were tried, by factor and outcome.',
      'factor',
      'outcome',
    ),
    signIns: counter(
      'hemma_sign_ins_total',
      'Sign-ins that were finished, by the level that was reached (the last part of acr).',
      'acr',
    ),
    events: counter('hemma_events_total', 'Rows of the audit, by event.', 'event'),
    waits: new Histogram({
      name: 'hemma_hash_wait_seconds',
      help: 'How long a password or a recovery code waited for a thread that verifies it.',
      buckets: waitBuckets,
      registers,
    }),
    failures: counter('hemma_chore_failures_total', 'Turns of background work that failed.', 'chore'),
    turns: new Gauge({
      name: 'hemma_chore_last_success_timestamp_seconds',
      help: 'When each kind of background work last went well.',
      labelNames: ['chore'],
      aggregator: 'max',
      registers,
    }),
  };
  // What never happened is zero and not absent, so that its first time is a rise.
  for (const factor of ['password', 'totp', 'recovery-code'])
    for (const outcome of ['right', 'wrong', 'throttled']) counters.attempts.inc({ factor, outcome }, 0);
  for (const acr of ['1', '2']) counters.signIns.inc({ acr }, 0);
  return counters;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const counters = createCounters(registry);
  const [endpointOf, errorOf, grantOf] = [
    createLabelLimiter(50),
    createLabelLimiter(100),
    createLabelLimiter(20),
  ];
  const refreshers: (() => Promise<void>)[] = [];
  const refreshAll = () =>
    withTimeout(collectTimeoutMs, Promise.allSettled(refreshers.map((refresh) => refresh())), []);
  return {
    registry,
    answered({ method, route, status, seconds }) {
      const labels = {
        method: methods.has(method) ? method : 'other',
        route,
        status: status === 0 ? 'aborted' : `${Math.floor(status / 100)}xx`,
      };
      counters.requests.observe(labels, seconds);
    },
    refused: (endpoint, error) =>
      counters.refusals.inc({ endpoint: endpointOf(endpoint), error: errorOf(error) }),
    // The grants of the standards' extensions are URNs; their last part names them.
    issued: (grant, kind) => counters.tokens.inc({ grant: grantOf(grant.split(':').at(-1) ?? ''), kind }),
    heard({ event, detail }) {
      counters.events.inc({ event });
      const [factor = '', outcome = ''] = event.split('.');
      if (factors.has(factor) && outcomes.has(outcome)) counters.attempts.inc({ factor, outcome });
      if (event === 'sign-in.finished')
        counters.signIns.inc({ acr: acrLevels[String(detail?.acr)] ?? 'other' });
    },
    hashWaited: (seconds) => counters.waits.observe(seconds),
    choreEnded(job, succeeded) {
      if (succeeded) counters.turns.set({ chore: job }, Math.floor(Date.now() / 1000));
      counters.failures.inc({ chore: job }, succeeded ? 0 : 1);
    },
    shows: (metric) => registerMetric(registry, metric),
    beforeReading: (refresh) => void refreshers.push(refresh),
    async text() {
      await refreshAll();
      return registry.metrics();
    },
    async values() {
      await refreshAll();
      return registry.getMetricsAsJSON();
    },
  };
}
