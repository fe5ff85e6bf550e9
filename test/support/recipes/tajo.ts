/** The code of the Tajo page (tajo.io/docs/connectors, "Supabase Connector"), word for word. Its configs are in config-text.ts. */

/** Authentication: curl, with either key. */
export const CURL = `# Using anon key (respects RLS)
curl 'https://<project_ref>.supabase.co/rest/v1/customers' \\
-H "apikey: <SUPABASE_ANON_KEY>" \\
-H "Authorization: Bearer <SUPABASE_ANON_KEY>"
# Using service_role key (bypasses RLS)
curl 'https://<project_ref>.supabase.co/rest/v1/customers' \\
-H "apikey: <SUPABASE_SERVICE_ROLE_KEY>" \\
-H "Authorization: Bearer <SUPABASE_SERVICE_ROLE_KEY>"
`;

/** Initialize Connector. */
export const INITIALIZE = `import { TajoClient } from '@tajo/sdk';
import { createClient } from '@supabase/supabase-js';
const tajo = new TajoClient({
apiKey: process.env.TAJO_API_KEY,
});
// Connect Supabase project
await tajo.connectors.connect('supabase', {
projectUrl: process.env.SUPABASE_URL,
serviceRoleKey: process.env.SUPABASE_SERVICE_ROLE_KEY,
});
`;

/** Sync Users to Contacts. */
export const SYNC = `// Sync all Supabase Auth users as contacts
await tajo.connectors.sync('supabase', {
type: 'full',
resources: ['users'],
});
// Incremental sync (new/changed users only)
await tajo.connectors.sync('supabase', {
type: 'incremental',
resources: ['users'],
since: '2024-01-01T00:00:00Z',
});
`;

/** Listen to Real-time Changes. */
export const LISTEN = `// Subscribe to new orders for engagement triggers
const supabase = createClient(
process.env.SUPABASE_URL,
process.env.SUPABASE_SERVICE_ROLE_KEY
);
supabase
.channel('orders')
.on('postgres_changes',
{ event: 'INSERT', schema: 'public', table: 'orders' },
async (payload) => {
// Forward to Tajo as an event
await tajo.events.track({
email: payload.new.customer_email,
event: 'order_placed',
properties: {
order_id: payload.new.id,
total: payload.new.total,
items: payload.new.line_items,
},
});
}
)
.subscribe();
`;

/** Query and Segment. */
export const QUERY = `// Query customers by plan for targeted campaigns
const { data: proUsers } = await supabase
.from('customers')
.select('email, full_name, plan, mrr')
.eq('plan', 'pro')
.gt('mrr', 100)
.order('mrr', { ascending: false });
// Sync to a Brevo list for campaign targeting
await tajo.lists.addContacts(PRO_LIST_ID, proUsers);
`;

/** Test Connection: the command, and what it prints. */
export const TEST = `tajo connectors test supabase
# ✓ API connection successful
# ✓ Auth endpoint accessible
# ✓ Tables readable (12 tables found)
# ✓ Storage accessible (3 buckets)
# ✓ Realtime connection established
# ✓ Edge Functions available (4 functions)
`;

/** Filtering Operators: the operator, and its example. */
export const OPERATORS: readonly (readonly [operators: string, example: string])[] = [
  ['eq', '?status=eq.active'],
  ['neq', '?status=neq.deleted'],
  ['gt, gte', '?amount=gt.100'],
  ['lt, lte', '?created_at=lt.2024-01-01'],
  ['like, ilike', '?name=ilike.%john%'],
  ['in', '?status=in.(active,trial)'],
  ['is', '?deleted_at=is.null'],
];
