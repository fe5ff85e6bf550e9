import { defineConfig, Rollcall, type RollcallConfig, verifyAuthHook } from 'rollcall';
import type { Attributes, Database } from './database.js';

export const config: RollcallConfig<Database, Attributes> = defineConfig<Database, Attributes>({
  connectors: {
    supabase: {
      sync: { users: true, tables: ['customers', 'crm.leads'] },
      user_mapping: {
        email: 'email',
        phone: { to: 'CITY', transform: 'e164' },
        'user_metadata.full_name': 'FIRSTNAME',
        is_anonymous: 'NEWSLETTER',
        unconfirmed: true,
      },
      table_mapping: {
        customers: {
          email: 'email',
          full_name: ['FIRSTNAME', { to: 'CITY', transform: ['trim', { default: 'nowhere' }] }],
          mrr: { to: 'MRR', when_null: 'clear' },
          plan: { to: 'PLAN', transform: { map: { free: 'Free' }, else: 'Other' } },
          newsletter: 'NEWSLETTER',
          'address.city': 'CITY',
          created_at: { to: 'PLAN', type: 'date' },
          attributes: { MRR: { sql: 'count(*)', from: 'orders' } },
          where: 'mrr > 0',
        },
        orders: {
          sync_as: 'events',
          event_name: 'order_placed',
          contact: { email: 'customer_email' },
          properties: { total: 'amount', 'line_items.0': 'first', SOURCE: { const: 'shop' } },
        },
        totals: { email: 'email', total: 'MRR', base_tables: ['orders'] },
        'crm.leads': { email: 'email', score: 'MRR' },
      },
      events: { 'user.signed_up': true },
    },
  },
  destinations: { brevo: { api_key: '${BREVO_API_KEY}', lists: ['News'], attributes: { drop: ['CITY'] } } },
  consent: { column: 'customers.newsletter' },
  delivery: { grace: '2m' },
});

/** Without types of a project anything goes, as in the YAML. */
export const loose: RollcallConfig = defineConfig({
  connectors: { supabase: { table_mapping: { anything: { some_column: 'SOME', sync_as: 'contacts' } } } },
  consent: 'nobody',
});

export async function use(): Promise<string | undefined> {
  const rollcall = new Rollcall<Database>({ config, log: { error() {}, warn() {}, info() {}, debug() {} }, fetch });
  rollcall.on('delivered', ({ destination, count }) => destination.repeat(count));
  await rollcall.connectors.connect('supabase', {
    projectUrl: process.env['SUPABASE_URL'],
    databaseUrl: process.env['DATABASE_URL'],
  });
  await rollcall.connectors.sync('supabase', {
    type: 'incremental',
    resources: ['users'],
    since: '2024-01-01T00:00:00Z',
  });
  await rollcall.events.track({ email: 'a@example.com', event: 'order_placed', properties: { n: 1n, at: new Date() } });
  // supabase-js's own client, with the types of the project.
  const { data } = await rollcall.supabase.from('customers').select('email, mrr').gt('mrr', 100);
  const first: { email: string; mrr: number | null } | undefined = data?.[0];
  await rollcall.lists.addContacts(7, data);
  await verifyAuthHook(new Request('http://127.0.0.1', { method: 'POST', body: '{}' }), 'v1,whsec_c2VjcmV0');
  await rollcall.start({ health: { port: 0, host: '127.0.0.1' } });
  await rollcall.stop();
  return first?.email;
}
