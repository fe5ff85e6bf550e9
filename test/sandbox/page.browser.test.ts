import { afterEach, describe, expect, it } from 'vitest';
import { startSandbox, type Sandbox } from '../support/mailtrap-sandbox.ts';
import { BrowserPage, findChromium } from './chromium.ts';

const chromium = findChromium();
if (chromium === null)
  console.warn('page.browser.test.ts skipped: no Chromium (ROLLCALL_CHROMIUM, or chromium on PATH)');

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function start(): Promise<Sandbox> {
  const sandbox = await startSandbox({ limitsScale: 1000 });
  open.push(sandbox);
  sandbox.state.addField('first_name', 'text');
  sandbox.state.addField('big', 'integer');
  return sandbox;
}

async function look(url: string): Promise<BrowserPage> {
  const page = await BrowserPage.open(chromium ?? '', url);
  open.push(page);
  return page;
}

async function patch(sandbox: Sandbox, email: string, fields: string): Promise<void> {
  const answer = await fetch(`${sandbox.apiUrl}/api/contacts/${encodeURIComponent(email)}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', 'api-token': sandbox.token },
    body: `{"contact":{"email":${JSON.stringify(email)},"fields":${fields}}}`,
  });
  expect(answer.status).toBe(200);
}

async function happen(sandbox: Sandbox, email: string, body: string): Promise<void> {
  const answer = await fetch(`${sandbox.apiUrl}/api/contacts/${encodeURIComponent(email)}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'api-token': sandbox.token },
    body,
  });
  expect(answer.status).toBe(201);
}

const rows = `document.querySelectorAll('#contacts tr')`;

describe.skipIf(chromium === null)('the page in a browser', () => {
  it('shows contacts and calls as they come, and never takes text for markup', async () => {
    const sandbox = await start();
    await patch(sandbox, 'early@example.com', '{"first_name":"Early"}');
    const page = await look(sandbox.pageUrl);
    await page.until(`${rows}.length === 1 && document.querySelectorAll('#calls tr').length === 1`);

    const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await patch(sandbox, 'eve@example.com', `{"first_name":${JSON.stringify(hostile)},"big":9007199254740993}`);
    await page.until(`${rows}.length === 2`);
    expect(await page.evaluate(`${rows}[0].textContent`)).toContain(hostile);
    expect(await page.evaluate(`${rows}[0].textContent`)).toContain('9007199254740993');
    expect(await page.evaluate(`document.querySelectorAll('main img, main script').length`)).toBe(0);
    expect(await page.evaluate('document.title')).toBe('Rollcall sandbox');

    await patch(sandbox, 'early@example.com', '{"first_name":"Later"}');
    await page.until(`${rows}[1].textContent.includes('Later')`);
    expect(await page.evaluate(`${rows}[1].className`)).toBe('flash');
    sandbox.state.suppress('early@example.com');
    await page.until(`${rows}[1].textContent.includes('unsubscribed')`);

    await page.evaluate(
      `(() => { const box = document.getElementById('filter'); box.value = 'EVE@'; box.dispatchEvent(new Event('input')); })()`,
    );
    expect(await page.evaluate(`[...${rows}].map((row) => row.hidden)`)).toEqual([false, true]);
    expect(await page.evaluate(`document.getElementById('n-contacts').textContent`)).toBe('2');
    expect(page.complaints).toEqual([]);
  });

  it('shows events as they come, newest first, and no empty list of them before', async () => {
    const sandbox = await start();
    await patch(sandbox, 'eve@example.com', '{}');
    const page = await look(sandbox.pageUrl);
    const events = `document.querySelectorAll('#events tr')`;
    await page.until(`${rows}.length === 1`);
    expect(await page.evaluate(`document.getElementById('events-part').hidden`)).toBe(true);
    await happen(sandbox, 'eve@example.com', '{"name":"logged_in"}');
    await happen(
      sandbox,
      'eve@example.com',
      '{"name":"order_placed","params":{"id":9007199254740993,"html":"<b>x</b>"}}',
    );
    await page.until(`${events}.length === 2`);
    expect(await page.evaluate(`document.getElementById('events-part').hidden`)).toBe(false);
    const [newest, first] = (await page.evaluate(`[...${events}].map((row) => row.textContent)`)) as string[];
    expect(newest).toMatch(/order_placed.*eve@example\.com.*id9007199254740993.*<b>x<\/b>/);
    expect(first).toContain('logged_in');
    expect(await page.evaluate(`document.getElementById('n-events').textContent`)).toBe('2');
    // Whoever opens the page later sees them too.
    const late = await look(sandbox.pageUrl);
    await late.until(`${events}.length === 2`);
    expect(page.complaints).toEqual([]);
  });

  it('keeps no more than 200 rows however much comes', async () => {
    const sandbox = await start();
    const page = await look(sandbox.pageUrl);
    await page.until(`document.getElementById('link').className === 'live'`);
    for (let n = 0; n < 450; n += 1) await patch(sandbox, `p${n}@example.com`, '{}');
    await page.until(`document.getElementById('n-calls').textContent === (450).toLocaleString()`);
    expect(await page.evaluate(`${rows}.length`)).toBe(200);
    expect(await page.evaluate(`${rows}[0].textContent`)).toContain('p449@example.com');
    expect(await page.evaluate(`document.querySelectorAll('#calls tr').length`)).toBe(200);
  });

  it('says so when the key is missing', async () => {
    const sandbox = await start();
    const page = await look(sandbox.url);
    await page.until(`document.getElementById('link').className === 'lost'`);
    expect(await page.evaluate(`document.getElementById('link').textContent`)).toContain('key');
  });
});
