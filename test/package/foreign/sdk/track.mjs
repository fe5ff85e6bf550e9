/** The same in every runtime: an event and a list, sent at once through a `fetch` of the app; what was sent is printed. */
export async function track({ Rollcall, defineConfig }) {
  const sent = [];
  const answer = (url, { method, body }) => {
    sent.push(`${method} ${new URL(url).pathname} ${body ?? ''}`.trim());
    return Promise.resolve(new Response(null, { status: url.pathname.endsWith('/events') ? 204 : 201 }));
  };
  const config = defineConfig({
    destinations: { brevo: { api_key: 'a-key-of-the-test', base_url: 'http://127.0.0.1:1/v3' } },
    consent: 'nobody',
  });
  const rollcall = new Rollcall({ config, fetch: answer, env: {}, log: silent });
  await rollcall.connectors.connect('supabase');
  await rollcall.events.track({
    email: 'ann@example.com',
    event: 'order_placed',
    properties: { total: 9007199254740993n },
  });
  let code = 'a client';
  try {
    void rollcall.supabase;
  } catch (error) {
    code = error.code;
  }
  const known = new Rollcall({ env: { SUPABASE_URL: 'http://127.0.0.1:1', SUPABASE_SERVICE_ROLE_KEY: 'key' } });
  try {
    code += `, then ${typeof known.supabase.from}`;
  } catch (error) {
    code += `, then ${error.code}`;
  }
  await rollcall.stop();
  console.log(JSON.stringify({ sent, code }));
}

const nothing = () => undefined;
const silent = { error: nothing, warn: nothing, info: nothing, debug: nothing };
