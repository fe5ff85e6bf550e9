import type { IncomingHttpHeaders } from 'node:http';
import { defineConfig, Rollcall, type RollcallConfig, verifyAuthHook, verifyDatabaseWebhook } from 'rollcall';
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
  segments: {
    pro: { from: 'customers', filter: 'plan=eq.pro&mrr=gt.100', list: 'Pro' },
    leads: { from: 'crm.leads', contact: { email: 'email' }, where: 'score > 10', destination: 'brevo', list: 7 },
    confirmed: { where: 'confirmed_at is not null', list: 'Confirmed' },
  },
  consent: { column: 'customers.newsletter' },
  delivery: { grace: '2m' },
});

/** Without types of a project anything goes, as in the YAML. */
export const loose: RollcallConfig = defineConfig({
  connectors: { supabase: { table_mapping: { anything: { some_column: 'SOME', sync_as: 'contacts' } } } },
  consent: 'nobody',
});

export const looseSegments: RollcallConfig = defineConfig({
  segments: { pro: { from: 'anything', contact: { user_id: 'owner' }, where: 'true', list: 1 } },
});

interface Row {
  email: string;
  plan: string;
}

/** Rows of the app's own types, a config that says nothing of tables, and one that knows them. */
export async function add(rows: Row[], stream: AsyncIterable<Row>): Promise<void> {
  const rollcall = new Rollcall<Database>({ config: loose, log: console, env: process.env });
  await rollcall.lists.addContacts(1, rows);
  await rollcall.lists.addContacts('Pro', stream);
  const { data } = await new Rollcall({ config }).supabase.from('customers').select('email, mrr');
  const first: { email: string; mrr: number | null } | undefined = data?.[0];
  await rollcall.events.track([{ email: first?.email ?? '', event: 'b', properties: rows[0] }]);
}

/** As docs/sdk.md has them: a variable of the environment may be unset, and Node has headers and bytes of its own. */
export async function hooks(request: Request, node: { headers: IncomingHttpHeaders; body: Buffer }): Promise<string> {
  const hook = await verifyAuthHook(request, process.env['AUTH_HOOK_SECRET']);
  await verifyAuthHook(node, [process.env['OLD_SECRET'], 'v1,whsec_c2VjcmV0']);
  const { table, record } = await verifyDatabaseWebhook(node, process.env['WEBHOOK_SECRET']);
  return `${table} ${Object.keys(record ?? hook).length}`;
}

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
