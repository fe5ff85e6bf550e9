import type { HttpResponse, Operation } from '../../core/destination.ts';
import type { Outcome } from '../../core/outcome.ts';
import { failureOf, malformed } from './failure.ts';

/**
 * What became of one operation.
 *
 * To write, for each `operation.kind`: which answers prove that it was done (with the contact's id as `remoteId`, where there is
 * one), that 404 means there is nothing to delete or to opt out, and which refusals mean more than their status.
 */
function outcomeOf(response: HttpResponse, _operation: Operation): Outcome {
  return failureOf(response) ?? malformed('nothing reads its answers yet');
}

/** One outcome per operation, in order, for any status and body; never throws. */
export function interpret(response: HttpResponse, batch: readonly Operation[]): readonly Outcome[] {
  return batch.map((operation) => outcomeOf(response, operation));
}
