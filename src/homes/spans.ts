import { type Attributes, SpanStatusCode, trace } from '@opentelemetry/api';
import { plainCode } from '../core/bounded.ts';
import type { Observation, Observer } from '../engine/observer.ts';

/**
 * Spans of what the worker does, for the OpenTelemetry SDK of whoever starts it (`NODE_OPTIONS=--import ...`, see docs/operations.md).
 * Without an SDK the API does nothing. Attributes are names of the config, counts and codes.
 */
export function createSpans(): Observer {
  const tracer = trace.getTracer('rollcall');
  return (seen) => {
    const told = spanOf(seen);
    if (told === undefined || !('at' in seen)) return;
    const { name, attributes, failed } = told;
    const { at, ms } = seen;
    const span = tracer.startSpan(`rollcall.${name}`, { startTime: at, attributes });
    if (failed === true) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(at + ms);
  };
}

interface Told {
  readonly name: string;
  readonly attributes: Attributes;
  readonly failed?: boolean;
}

function spanOf(seen: Observation): Told | undefined {
  switch (seen.what) {
    case 'fold': {
      const { taken, changed, failed } = seen.result;
      return taken === 0 ? undefined : { name: 'fold', attributes: { taken, changed, rows_failed: failed } };
    }
    case 'claim': {
      const { destination, contacts } = seen;
      return contacts === 0 ? undefined : { name: 'claim', attributes: { destination, contacts } };
    }
    case 'send': {
      const { destination, status, code } = seen;
      const answer = status === undefined ? { code: plainCode(code ?? '') } : { 'http.response.status_code': status };
      return { name: 'send', attributes: { destination, ...answer }, failed: status === undefined || status >= 400 };
    }
    case 'settle': {
      const { destination, tallies } = seen;
      const counts = new Map<string, number>();
      for (const { of, outcome, count } of tallies) {
        const key = `${of}s.${outcome}`;
        counts.set(key, (counts.get(key) ?? 0) + count);
      }
      return { name: 'settle', attributes: { destination, ...Object.fromEntries(counts) } };
    }
    case 'job': {
      const { destination, outcome, code } = seen;
      return {
        name: 'job',
        attributes: { destination, outcome, code: plainCode(code) },
        failed: outcome !== 'delivered',
      };
    }
    case 'trouble':
      return { name: seen.during, attributes: { code: plainCode(seen.code) }, failed: true };
    case 'sending':
    case 'limit':
    case 'hold':
    case 'sweep':
    case 'webhook':
    case 'pause':
      return undefined;
  }
}
