import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { badRequest, invalid, type Invalid, notFound, reply } from './replies.ts';
import { SUPPRESSION_TYPES, type Suppression, type SuppressionType } from './store.ts';
import { emailError } from './validate-email.ts';

/** [email-sending.openapi.yml: "List suppressions"] */
const PAGE = 1_000;

/** GET: those after `last_id`, in the order they were made; a bare array. Times count by whole milliseconds, both ends included. */
export function getSuppressions({ store }: Account, { query }: ApiRequest): ApiReply {
  const [from, to] = ['start_time', 'end_time'].map((name) => query.get(name));
  const [fromMs, toMs] = [from ?? null, to ?? null].map((time) => (time === null ? null : Date.parse(time)));
  if (Number.isNaN(fromMs ?? 0) || Number.isNaN(toMs ?? 0)) return badRequest;
  const email = query.get('email')?.toLowerCase();
  const all = [...store.suppressions.values()];
  const lastId = query.get('last_id');
  // What is after an id that nobody has is not said: ours to choose.
  const start = lastId === null ? 0 : all.findIndex(({ id }) => id === lastId) + 1;
  if (lastId !== null && start === 0) return badRequest;
  const found = all
    .slice(start)
    .filter((each) => email === undefined || each.email === email)
    .filter(({ at }) => at >= (fromMs ?? -Infinity) && at <= (toMs ?? Infinity));
  return reply(200, found.slice(0, PAGE).map(view));
}

/** POST: 201. One address is suppressed once here, whatever its domain and stream; a second time tells what there is. */
export function createSuppression({ store, errorStyle }: Account, request: ApiRequest): ApiReply {
  const json = request.json();
  if (json === null || !isJsonObject(json.value)) return badRequest;
  const { email, domain_id: domain, sending_stream: stream, type = 'manual import' } = json.value;
  const isStream = stream === 'transactional' || stream === 'bulk';
  const wrong = emailError(email);
  const errors: Invalid = {
    ...(wrong === null ? {} : { email: [wrong] }),
    ...(Number.isInteger(domain) ? {} : { domain_id: ["can't be blank"] }),
    ...(isStream ? {} : { sending_stream: ['is not included in the list'] }),
    ...(isType(type) ? {} : { type: ['is not included in the list'] }),
  };
  if (Object.keys(errors).length > 0 || typeof email !== 'string' || !isStream || !isType(type))
    return invalid(errors, errorStyle);
  store.suppress(email, type, false, stream);
  return reply(201, { data: view(store.suppressions.get(email.toLowerCase())!) });
}

/** DELETE: 200 with what there was. */
export function deleteSuppression({ store }: Account, id: string): ApiReply {
  const found = [...store.suppressions.values()].find((each) => each.id === id);
  if (found === undefined) return notFound;
  store.unsuppress(found.email);
  return reply(200, view(found));
}

function isType(type: unknown): type is SuppressionType {
  return (SUPPRESSION_TYPES as readonly unknown[]).includes(type);
}

function view({ id, type, email, stream, at }: Suppression): JsonObject {
  return {
    id,
    type,
    created_at: new Date(at).toISOString(),
    email,
    sending_stream: stream,
    domain_name: null,
    ...NO_MESSAGE,
  };
}

/** No message of ours led to it. */
const NO_MESSAGE: JsonObject = {
  message_bounce_category: null,
  message_category: null,
  message_client_ip: null,
  message_created_at: null,
  message_esp_response: null,
  message_esp_server_type: null,
  message_outgoing_ip: null,
  message_recipient_mx_name: null,
  message_sender_email: null,
  message_subject: null,
};
