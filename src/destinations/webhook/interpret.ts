import type { HttpResponse, Operation } from '../../core/destination.ts';
import * as core from '../../core/failure.ts';
import { isJsonObject } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import { cut, readJson } from '../../core/wire.ts';

/** A receiver's own words: `error` or `message` of a JSON object. Anything else, a page perhaps, is not repeated. */
function words({ body, status }: HttpResponse): string {
  const json = readJson(body);
  const said = json !== undefined && isJsonObject(json) ? (json['error'] ?? json['message']) : undefined;
  return typeof said === 'string' && said.trim() !== ''
    ? cut(said.trim())
    : `The receiver answered with status ${status}.`;
}

const RECEIVER: core.Vendor = { name: 'The receiver', words };

/** 4xx that are about the URL, whatever the message said. */
const WRONG_PATH: ReadonlySet<number> = new Set([404, 405]);

function outcomeOf(response: HttpResponse, operation: Operation): Outcome {
  const failure = core.failureOf(response, RECEIVER);
  const { status } = response;
  if (failure === undefined) return delivered(operation);
  if (status === 410) {
    const message = cut(
      `The receiver wants no more messages (status 410). Nothing is sent until \`rollcall apply\`. It said: ${failure.message}`,
    );
    return { kind: 'config', code: 'gone', message, untilApply: true };
  }
  if (failure.code === 'redirect') return { ...failure, message: failure.message.replace('base_url', 'url') };
  if (WRONG_PATH.has(status)) {
    const message = cut(
      `There is no receiver of messages at this URL (status ${status}): check url. ${failure.message}`,
    );
    return { kind: 'config', code: 'wrong_path', message };
  }
  return status === 413 ? { ...failure, code: 'too_large' } : failure;
}

/** Any 2xx is a delivery, whatever its body (Standard Webhooks 1.0.0). What we call the contact is its id there from then on. */
function delivered({ kind, body }: Operation): Outcome {
  const data = kind === 'upsert' ? body?.['data'] : undefined;
  const contact = isJsonObject(data) ? data['contact'] : undefined;
  const id = isJsonObject(contact) ? contact['id'] : undefined;
  return typeof id === 'string' ? { kind: 'delivered', remoteId: id } : { kind: 'delivered' };
}

/** One outcome per operation, in order, for any status and body; never throws. */
export function interpret(response: HttpResponse, batch: readonly Operation[]): readonly Outcome[] {
  return batch.map((operation) => outcomeOf(response, operation));
}
