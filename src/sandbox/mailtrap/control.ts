import type { Hono } from 'hono';
import * as z from 'zod';
import { renderJson } from '../../core/json.ts';
import { readInput } from '../control-input.ts';
import type { MailtrapState } from './state.ts';
import type { SuppressionType } from './store.ts';
import { sendWebhooks, webhookSend, type WebhookEvent } from './webhooks.ts';

const suppression = z.strictObject({
  email: z.string().min(1),
  type: z.enum(['hard bounce', 'spam complaint', 'unsubscription', 'manual import']).optional(),
});

/** Payload names of events after which the vendor sends no more mail. */
const OPT_OUTS: Partial<Record<WebhookEvent['event'], SuppressionType>> = {
  unsubscribe: 'unsubscription',
  spam: 'spam complaint',
  bounce: 'hard bounce',
};

/** The control routes that only this stand-in has. */
export function mountMailtrapControl(app: Hono, state: MailtrapState, now: () => number): void {
  app.post('/_sandbox/suppressions', async (context) => {
    const { email, type } = await readInput(context, suppression);
    state.suppress(email, type);
    return context.json({ suppressions: state.suppressions() }, 201);
  });

  app.get('/_sandbox/contact-events', (context) => {
    const events = state.contactEvents(context.req.query('contact')).map((event) => ({ ...event }));
    return context.body(renderJson({ events }), 200, { 'content-type': 'application/json; charset=utf-8' });
  });

  app.post('/_sandbox/webhooks/send', async (context) => {
    const send = await readInput(context, webhookSend);
    if (send.suppress === true) {
      for (const event of send.events) {
        const type = OPT_OUTS[event.event];
        if (type !== undefined) state.suppress(event.email, type);
      }
    }
    return context.json(await sendWebhooks(send, now()));
  });
}
