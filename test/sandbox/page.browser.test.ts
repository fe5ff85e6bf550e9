import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import makeMailtrap from '../../src/destinations/mailtrap/sandbox/index.ts';
import { startSandbox } from '../../src/sandbox/start.ts';
import type { Sandbox } from '../../src/sandbox/types.ts';
import { BrowserPage, findChromium } from './chromium.ts';

const chromium = findChromium();
if (chromium === null)
  console.warn('page.browser.test.ts skipped: no Chromium (ROLLCALL_CHROMIUM, or chromium on PATH)');

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

/** Two destinations, so that there is something to choose. */
async function start(): Promise<Sandbox> {
  const sandbox = await startSandbox({ limitsScale: 1000, standIns: { mailtrap: makeMailtrap, other: makeMailtrap } });
  open.push(sandbox);
  for (const { standIn } of sandbox.destinations) {
    standIn.addField('first_name', 'text');
    standIn.addField('big', 'integer');
  }
  return sandbox;
}

async function look(url: string): Promise<BrowserPage> {
  const page = await BrowserPage.open(chromium ?? '', url);
  open.push(page);
  return page;
}

async function call(sandbox: Sandbox, method: string, path: string, body: string, to = 'mailtrap'): Promise<number> {
  const { url, token } = sandbox.of(to);
  const headers = { 'content-type': 'application/json', 'api-token': token };
  const answer = await fetch(`${url}/api/contacts/${path}`, { method, headers, body });
  return answer.status;
}

async function patch(sandbox: Sandbox, email: string, fields: string, to?: string): Promise<void> {
  const body = `{"contact":{"email":${JSON.stringify(email)},"fields":${fields}}}`;
  expect(await call(sandbox, 'PATCH', encodeURIComponent(email), body, to)).toBe(200);
}

const rows = `[...document.querySelectorAll('#contacts tr.row')]`;
const calls = `[...document.querySelectorAll('#calls tr.row')]`;
const said = `document.getElementById('said').textContent`;
const number = (id: string): string => `document.getElementById('${id}').textContent`;
const press = (label: string, within = 'document'): string =>
  `[...${within}.querySelectorAll('button')].find((node) => node.textContent.startsWith(${JSON.stringify(label)})).click()`;
const search = (text: string): string =>
  `(() => { const box = document.getElementById('filter'); box.value = ${JSON.stringify(text)}; box.dispatchEvent(new Event('input')); })()`;

describe.skipIf(chromium === null)('the page in a browser', () => {
  it('shows contacts, events and calls as they come, and never takes text for markup', async () => {
    const sandbox = await start();
    await patch(sandbox, 'early@example.com', '{"first_name":"Early"}');
    const page = await look(sandbox.pageUrl);
    await page.until(`${rows}.length === 1 && ${calls}.length === 1`);
    expect(await page.evaluate(`document.getElementById('events-part').hidden`)).toBe(true);

    const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    const list = sandbox.of('mailtrap').standIn.addList(hostile);
    const fields = `{"first_name":${JSON.stringify(hostile)},"big":9007199254740993}`;
    const body = `{"contact":{"email":"eve@example.com","fields":${fields},"list_ids_included":[${list}]}}`;
    expect(await call(sandbox, 'PATCH', 'eve%40example.com', body)).toBe(200);
    const event = JSON.stringify({ name: hostile, params: { [hostile]: hostile } });
    expect(await call(sandbox, 'POST', 'eve%40example.com/events', event)).toBe(201);
    await page.until(`${rows}.length === 2 && document.querySelectorAll('#events tr').length === 1`);
    expect(await page.evaluate(`${rows}[0].textContent`)).toContain(hostile);
    expect(await page.evaluate(`${rows}[0].textContent`)).toContain('9007199254740993');
    expect(await page.evaluate(`document.getElementById('events').textContent`)).toContain(hostile);
    // Opened too: the contact's history, and the call's own words.
    await page.evaluate(`${rows}[0].querySelector('button').click()`);
    await page.evaluate(`${calls}[0].querySelector('button').click()`);
    await page.until(
      `document.querySelectorAll('#contacts dl').length === 1 && document.querySelectorAll('pre').length > 2`,
    );
    expect(await page.evaluate(`document.title`)).toBe('Rollcall sandbox');
    expect(await page.evaluate(`document.querySelectorAll('main img, main script').length`)).toBe(0);

    await patch(sandbox, 'early@example.com', '{"first_name":"Later"}');
    await page.until(`${rows}.some((row) => row.className === 'row flash' && row.textContent.includes('Later'))`);
    expect(await page.evaluate(number('n-contacts'))).toBe('2');
    expect(page.complaints).toEqual([]);
  });

  it('shows one destination or all, and searches in everything there ever was', async () => {
    const sandbox = await start();
    for (let n = 0; n < 250; n += 1) await patch(sandbox, `p${n}@example.com`, '{}');
    await patch(sandbox, 'o@example.com', '{"first_name":"Olga"}', 'other');
    const page = await look(sandbox.pageUrl);
    await page.until(`${rows}.length === 200`);
    expect(
      await page.evaluate(`[...document.querySelectorAll('#tabs button')].map((node) => node.textContent)`),
    ).toEqual(['All251', 'mailtrap250', 'other1']);
    await page.evaluate(press('other', `document.getElementById('tabs')`));
    await page.until(`${rows}.length === 1 && ${calls}.length === 1`);
    expect(await page.evaluate(`${number('n-contacts')} + ' ' + ${number('n-calls')}`)).toBe('1 1');
    // What comes to the others is not shown here; what comes to this one is.
    await patch(sandbox, 'p0@example.com', '{"first_name":"Zero"}');
    await patch(sandbox, 'new@example.com', '{}', 'other');
    await page.until(`${rows}.length === 2`);
    expect(await page.evaluate(`${rows}.map((row) => row.querySelector('.mail span').textContent)`)).toEqual([
      'new@example.com',
      'o@example.com',
    ]);
    await page.evaluate(press('All', `document.getElementById('tabs')`));
    // The first of all has long left the newest 200.
    await page.evaluate(search('ZERO'));
    await page.until(`${rows}.length === 1 && ${rows}[0].textContent.includes('p0')`);
    expect(await page.evaluate(`${calls}.length`)).toBe(1);
    await page.evaluate(search('nobody'));
    await page.until(`${rows}.length === 0`);
    expect(await page.evaluate(`document.getElementById('no-contacts').innerText`)).toBe('No contact fits.');
    await page.evaluate(search(''));
    await page.until(`${rows}.length === 200`);
    expect(page.complaints).toEqual([]);
  });

  it('keeps no more than 200 rows however much comes', async () => {
    const sandbox = await start();
    const page = await look(sandbox.pageUrl);
    await page.until(`document.getElementById('link').className === 'live'`);
    for (let n = 0; n < 450; n += 1) await patch(sandbox, `p${n}@example.com`, '{}');
    await page.until(`${number('n-calls')} === (450).toLocaleString()`);
    expect(await page.evaluate(`${rows}.length`)).toBe(200);
    expect(await page.evaluate(`${rows}[0].textContent`)).toContain('p449@example.com');
    expect(await page.evaluate(`${calls}.length`)).toBe(200);
  });

  it('opens a call: what was asked and answered, without the key', async () => {
    const sandbox = await start();
    await patch(sandbox, 'ann@example.com', '{"first_name":"Ann","big":9007199254740993}');
    const page = await look(sandbox.pageUrl);
    await page.until(`${calls}.length === 1`);
    // By keyboard: the row's button is reached by Tab and pressed by Enter.
    await page.evaluate(`${calls}[0].querySelector('button').focus()`);
    for (const type of ['keyDown', 'keyUp'])
      await page.send('Input.dispatchKeyEvent', {
        type,
        key: 'Enter',
        code: 'Enter',
        windowsVirtualKeyCode: 13,
        text: '\r',
      });
    await page.until(`document.querySelectorAll('#calls .detail pre').length === 4`);
    const [headers, body, , answer] = (await page.evaluate(
      `[...document.querySelectorAll('#calls .detail pre')].map((node) => node.textContent)`,
    )) as string[];
    expect(headers).toContain('api-token: [redacted]');
    expect(headers).not.toContain(sandbox.of('mailtrap').token);
    expect(body).toContain('"big": 9007199254740993');
    expect(answer).toContain('"action": "created"');
    expect(await page.evaluate(`${calls}[0].querySelector('button').getAttribute('aria-expanded')`)).toBe('true');
    await page.evaluate(`${calls}[0].querySelector('button').click()`);
    expect(await page.evaluate(`document.querySelectorAll('#calls .detail').length`)).toBe(0);
    expect(page.complaints).toEqual([]);
  });

  it('unsubscribes somebody, tells the receiver that is set, and shows what changed consent', async () => {
    const sandbox = await start();
    const heard: string[] = [];
    const receiver = createServer((incoming, outgoing) => {
      incoming.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
      incoming.on('end', () => outgoing.writeHead(200).end());
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    open.push({ close: () => new Promise((resolve) => receiver.close(resolve)) });
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    await patch(sandbox, 'ann@example.com', '{}');
    const page = await look(sandbox.pageUrl);
    await page.until(`${rows}.length === 1`);
    await page.evaluate(`${rows}[0].querySelector('button').click()`);
    await page.until(`document.querySelectorAll('#contacts .acts button').length === 3`);
    await page.evaluate(press('Unsubscribe', `document.getElementById('contacts')`));
    await page.until(`${said}.includes('no webhook was sent')`);
    await page.until(`document.querySelector('#contacts .history').textContent.includes('unsubscribed')`);
    expect(await page.evaluate(`document.querySelector('#contacts .history').textContent`)).toContain('by hand');
    expect(sandbox.of('mailtrap').standIn.contact('ann@example.com')?.status).toBe('unsubscribed');

    await page.until(`document.querySelectorAll('#contacts .acts button').length === 1`);
    await page.evaluate(press('Subscribe again', `document.getElementById('contacts')`));
    await page.until(`document.querySelectorAll('#contacts .acts button').length === 3`);
    await page.evaluate(`document.getElementById('webhooks-toggle').click()`);
    await page.until(`document.getElementById('receiver-destination').options.length === 2`);
    await page.evaluate(`(() => {
      document.getElementById('receiver-destination').value = 'mailtrap';
      document.getElementById('receiver-url').value = ${JSON.stringify(url)};
      document.getElementById('receiver-secret').value = 'a signing secret';
      document.getElementById('receiver-form').requestSubmit();
    })()`);
    await page.until(`document.getElementById('receivers').textContent.includes(${JSON.stringify(url)})`);
    await page.evaluate(press('Complain', `document.getElementById('contacts')`));
    await page.until(`${said}.includes('Webhook: HTTP 200')`);
    expect(heard.join('')).toContain('"event":"spam"');
    expect(page.complaints).toEqual([]);
  });

  it('makes faults at the destination that is looked at, by preset and by rule, and ends them', async () => {
    const sandbox = await start();
    const page = await look(sandbox.pageUrl);
    await page.until(`document.querySelectorAll('#tabs button').length === 3`);
    await page.evaluate(`document.getElementById('faults-toggle').click()`);
    await page.evaluate(press('Down'));
    await page.until(`document.getElementById('faults').textContent === 'status=503'`);
    const ann = '{"contact":{"email":"ann@example.com"}}';
    expect(await call(sandbox, 'PATCH', 'ann%40example.com', ann, 'other')).toBe(503);
    await page.evaluate(press('Clear all'));
    await page.until(`document.getElementById('faults').children.length === 0`);

    await page.evaluate(press('other', `document.getElementById('tabs')`));
    await page.evaluate(`(() => {
      document.getElementById('fault').value = 'status=502,count=1';
      document.getElementById('fault-form').requestSubmit();
    })()`);
    await page.until(`document.getElementById('faults').textContent.includes('destination=other')`);
    await patch(sandbox, 'ann@example.com', '{}');
    expect(await call(sandbox, 'PATCH', 'ann%40example.com', ann, 'other')).toBe(502);
    await page.until(`document.getElementById('faults').textContent.includes('used up')`);
    await page.until(`${calls}.length === 2 && ${calls}[0].textContent.includes('fault: status 502')`);

    await page.evaluate(`(() => {
      document.getElementById('fault').value = 'status=abc';
      document.getElementById('fault-form').requestSubmit();
    })()`);
    await page.until(`document.getElementById('said').className === 'bad' && ${said}.includes("can't be used")`);
    // The browser itself tells of an answer of 400; the page has nothing to complain of.
    expect(page.complaints.filter((complaint) => !complaint.includes('400'))).toEqual([]);
  });

  it('forgets everything, and says so when the key is missing', async () => {
    const sandbox = await start();
    await patch(sandbox, 'ann@example.com', '{}');
    const page = await look(sandbox.pageUrl);
    await page.until(`${rows}.length === 1`);
    await page.evaluate(press('Forget everything'));
    await page.until(`${rows}.length === 0 && ${number('n-calls')} === '0'`);

    const stranger = await look(sandbox.url);
    await stranger.until(`document.getElementById('link').className === 'lost'`);
    expect(await stranger.evaluate(`document.getElementById('link').textContent`)).toContain('key');
  });
});
