import type { Context, Hono } from 'hono';
import { RollcallError } from '../core/errors.ts';
import { renderJson, type Json } from '../core/json.ts';
import type { CallLog } from './call-log.ts';
import { callLine } from './change-streams.ts';
import type { ConsentHistory } from './consent-history.ts';
import { search } from './search.ts';
import type { SandboxDestination } from './served.ts';
import { asJson } from './shown.ts';

export interface ViewParts {
  readonly destinations: readonly SandboxDestination[];
  readonly find: (id: string) => SandboxDestination;
  readonly calls: CallLog;
  readonly history: ConsentHistory;
}

/** What can be looked at: destinations, a contact, a call, and everything that has a text in it. */
export function mountViews(app: Hono, { destinations, find, calls, history }: ViewParts): void {
  app.get('/_sandbox/destinations', (context) =>
    exactly(context, {
      destinations: destinations.map(({ id, url, standIn }) => ({
        id,
        url,
        contacts: standIn.contactCount,
        events: standIn.eventCount,
        lists: standIn.lists().map((list) => ({ ...list })),
        fields: standIn.fields().map((field) => ({ ...field })),
        webhooks: standIn.webhooks !== undefined,
      })),
    }),
  );

  app.get('/_sandbox/contact', (context) => {
    const { id, standIn } = find(context.req.query('destination') ?? '');
    const contact = standIn.contact(context.req.query('contact') ?? '');
    if (contact === undefined) throw new RollcallError('RC_SANDBOX_INPUT', `${id} has no such contact.`);
    const consent = history.of(id, contact.address).map((change) => ({ ...change }));
    return exactly(context, {
      destination: id,
      contact: asJson(contact),
      consent,
      webhooks: standIn.webhooks !== undefined,
    });
  });

  app.get('/_sandbox/calls', (context) => {
    const last = Number(context.req.query('last') ?? Number.POSITIVE_INFINITY);
    return context.json({ counters: calls.counters(), calls: calls.last(Number.isNaN(last) ? 0 : last) });
  });

  app.get('/_sandbox/calls/:n', (context) => {
    const call = calls.find(Number(context.req.param('n')));
    if (call === undefined) throw new RollcallError('RC_SANDBOX_INPUT', 'The sandbox remembers no such call.');
    return context.json(call);
  });

  app.get('/_sandbox/search', (context) => {
    const destination = context.req.query('destination');
    if (destination !== undefined) find(destination);
    const found = search({ text: context.req.query('q') ?? '', destination }, destinations, calls.last());
    return exactly(context, { ...found, calls: found.calls.map(callLine) });
  });
}

/** An answer in which large numbers keep their digits. */
function exactly(context: Context, value: Json): Response {
  return context.body(renderJson(value), 200, { 'content-type': 'application/json; charset=utf-8' });
}
