import type { Exchange } from '../core/destination.ts';
import type { SendResult } from './ports.ts';

/** What an exchange came to: the value, or the outcome that stopped it, be it of the answer or of none. */
export function readAnswer<Value>(
  exchange: Exchange<Value>,
  result: SendResult,
): ReturnType<Exchange<Value>['interpret']> {
  return result.answered ? exchange.interpret(result.response) : { ok: false, outcome: result.outcome };
}
