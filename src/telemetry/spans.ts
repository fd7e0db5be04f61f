import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span, Tracer } from '@opentelemetry/api';
import {
  createTraceState,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind as Kind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import type { Sampler } from '@opentelemetry/sdk-trace';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Environment, SpanKind, Tracing } from './tracing.ts';
import { withTimeout } from '../http/with-timeout.ts';

/** Loaded only where traces are asked for (see tracing.ts): its packages take some megabytes. */

const kinds: Record<SpanKind, Kind> = { call: Kind.CLIENT, inside: Kind.INTERNAL, send: Kind.CLIENT };

/** The samplers that OpenTelemetry's variables name; undefined for any other word. */
function createSampler(env: Environment): Sampler | undefined {
  const ratioArgument = Number(env['OTEL_TRACES_SAMPLER_ARG'] || '1');
  const ratio = () =>
    new TraceIdRatioBasedSampler(ratioArgument >= 0 && ratioArgument <= 1 ? ratioArgument : 1);
  const samplers: Record<string, () => Sampler> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: ratio,
    parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
    parentbased_traceidratio: () => new ParentBasedSampler({ root: ratio() }),
  };
  return samplers[env['OTEL_TRACES_SAMPLER'] || 'parentbased_always_on']?.();
}

/** The sender's span, as the header names it (W3C Trace Context §3.2); undefined where it names none. */
function parseTraceparent(headers: Record<string, string | string[] | undefined>) {
  const match = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/.exec(
    String(headers['traceparent'] ?? ''),
  );
  const [, traceId = '', spanId = '', flags = ''] = match ?? [];
  if (!match || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const { tracestate } = headers;
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(tracestate ? { traceState: createTraceState(String(tracestate).slice(0, 512)) } : {}),
  };
}

/** What went wrong, by its code: the words of a fault may hold what somebody typed. */
function recordSpanError(span: Span, fault: unknown): void {
  const { code, name = 'fault' } = fault as { code?: unknown; name?: string };
  span.setAttribute('error.type', typeof code === 'string' ? code : name);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

const shutdownTimeoutMs = 2_000;

/** Sends what waits; a collector that is away keeps nobody from stopping. */
const shutdownProvider = (provider: TracerProvider): Promise<void> =>
  withTimeout(
    shutdownTimeoutMs,
    provider.shutdown().catch(() => undefined),
    undefined,
  );

function createOtelTracing(tracer: Tracer, stop: () => Promise<void>): Tracing {
  const activeSpan = new AsyncLocalStorage<Span>();
  const idsOf = (span: Span) => {
    const { traceId, spanId } = span.spanContext();
    return { trace_id: traceId, span_id: spanId };
  };
  const activeContext = () => {
    const span = activeSpan.getStore();
    return span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT;
  };
  return {
    on: true,
    request(method, headers) {
      const parent = parseTraceparent(headers);
      const parentContext = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
      const span = tracer.startSpan(method, { kind: Kind.SERVER }, parentContext);
      return {
        run: (work) => activeSpan.run(span, work),
        ids: idsOf(span),
        end({ name, attributes, failed }) {
          span.updateName(name);
          span.setAttributes(attributes);
          if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    async span(kind, name, attributes, work) {
      // What chores ask of the database every second is nobody's trace.
      if (kind !== 'send' && !activeSpan.getStore()) return work();
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, activeContext());
      try {
        return await activeSpan.run(span, work);
      } catch (fault) {
        recordSpanError(span, fault);
        throw fault;
      } finally {
        span.end();
      }
    },
    note: (attributes) => void activeSpan.getStore()?.setAttributes(attributes),
    ids() {
      const span = activeSpan.getStore();
      return span && idsOf(span);
    },
    carried() {
      const span = activeSpan.getStore()?.spanContext();
      if (!span) return {};
      const state = span.traceState?.serialize();
      const flags = span.traceFlags.toString(16).padStart(2, '0');
      return {
        traceparent: `00-${span.traceId}-${span.spanId}-${flags}`,
        ...(state ? { tracestate: state } : {}),
      };
    },
    stop,
  };
}

/** The exporter reads its address, headers, time-out and compression from the variables itself. */
export function startTracing(env: Environment, version: string, warn: (text: string) => void): Tracing {
  const warnShort = (text: string) => warn(text.slice(0, 300));
  diag.setLogger(
    {
      error: warnShort,
      warn: warnShort,
      info: () => undefined,
      debug: () => undefined,
      verbose: () => undefined,
    },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const protocol = env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] || env['OTEL_EXPORTER_OTLP_PROTOCOL'];
  if (protocol && protocol !== 'http/json')
    warn(`traces are sent as http/json: ${protocol} is not spoken here`);
  const sampler = createSampler(env);
  if (!sampler) warn('OTEL_TRACES_SAMPLER names no sampler that is known here: everything is traced');
  const delay = Number(env['OTEL_BSP_SCHEDULE_DELAY']);
  const processor = new BatchSpanProcessor({
    exporter: new OTLPTraceExporter(),
    ...(delay > 0 ? { scheduledDelayMillis: delay } : {}),
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'hemma', 'service.version': version }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    ...(sampler ? { sampler } : {}),
    spanProcessors: [processor],
  });
  return createOtelTracing(provider.getTracer('hemma', version), () => shutdownProvider(provider));
}
