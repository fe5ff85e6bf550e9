import { createHash } from 'node:crypto';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

const tile = (id: string, label: string): string => `<div><b id="${id}">0</b><span>${label}</span></div>`;

const PRESETS: readonly (readonly [string, string])[] = [
  ['429 storm', 'status=429,retry-after=2,rate=0.5'],
  ['500s', 'status=500,rate=0.3'],
  ['Slow', 'latency=2s'],
  ['Lost answers', 'drop=after,rate=0.2'],
  ['Down', 'status=503'],
  ['Key revoked', 'status=401'],
];

const presets = PRESETS.map(
  ([label, rule]) => `<button type="button" data-fault="${rule}" title="${rule}">${label}</button>`,
).join('');

const table = (id: string, heads: string): string =>
  `<div class="scroll" tabindex="0" role="group" aria-label="${id}"><table><thead><tr>${heads}</tr></thead><tbody id="${id}"></tbody></table>`;

const newest =
  '<small class="all">newest first, last 200</small><small class="found" hidden>what fits, last 200</small>';

/** The page of the sandbox: one file, nothing from elsewhere. */
export const PAGE: string = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Rollcall sandbox</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Rollcall sandbox</h1>
<span id="link" role="status">connecting</span>
<input id="filter" type="search" placeholder="Search everything  ( / )" aria-label="Search contacts, events and calls" autocomplete="off">
<div class="tools">
<button type="button" id="faults-toggle" aria-expanded="false" aria-controls="faults-panel">Faults<b></b></button>
<button type="button" id="webhooks-toggle" aria-expanded="false" aria-controls="webhooks-panel">Webhooks</button>
<button type="button" aria-expanded="false" aria-controls="state-panel">State</button>
</div>
</header>
<section class="panel" id="faults-panel" aria-label="Faults" hidden>
<p>Things that go wrong on purpose, at the destination chosen below or at all.</p>
<div class="acts">${presets}</div>
<form id="fault-form"><input id="fault" aria-label="A fault as on the command line" placeholder="status=500,rate=0.3,path=/import" autocomplete="off" required><button>Add</button></form>
<ul id="faults"></ul>
<p id="no-faults">No faults: everything answers as the vendors do.</p>
<button type="button" id="clear-faults" disabled>Clear all</button>
</section>
<section class="panel" id="webhooks-panel" aria-label="Webhooks" hidden>
<p>Where a destination tells of opt-outs, signed as the vendor signs. Open a contact and unsubscribe it to send one.</p>
<form id="receiver-form"><select id="receiver-destination" aria-label="Destination" required></select>
<input id="receiver-url" aria-label="URL of the receiver" placeholder="http://127.0.0.1:8080/..." autocomplete="off" required>
<input id="receiver-secret" type="password" aria-label="Signing secret" placeholder="signing secret" autocomplete="off" required>
<button>Set</button></form>
<ul id="receivers"></ul>
</section>
<section class="panel" id="state-panel" aria-label="State" hidden>
<p>All that the stand-ins hold: contacts, lists, fields, opt-outs, events, jobs.</p>
<div class="acts"><button type="button" id="download">Save to a file</button><button type="button" id="load">Load a file</button>
<input id="file" type="file" accept="application/json,.json" hidden><button type="button" id="reset">Forget everything</button></div>
</section>
<p id="said" role="status"></p>
<nav id="tabs" aria-label="Destinations"></nav>
<div id="counters">
${tile('n-contacts', 'contacts')}${tile('n-events', 'events')}${tile('n-calls', 'calls')}${tile('n-rate', 'calls / s')}${tile('n-ok', 'accepted')}
${tile('n-client', 'refused')}${tile('n-limited', 'rate limited')}${tile('n-server', 'server errors')}${tile('n-dropped', 'dropped')}
</div>
<main>
<section aria-label="Contacts">
<h2>Contacts ${newest}</h2>
${table('contacts', '<th>Address</th><th>Attributes</th><th>Lists</th><th>Consent</th><th>First, last call</th>')}
<p class="empty" id="no-contacts"><span class="all">No contacts yet. They appear here the moment an API accepts them.</span><span class="found" hidden>No contact fits.</span></p>
</div>
</section>
<div id="side">
<section aria-label="Events" id="events-part" hidden>
<h2>Events ${newest}</h2>
${table('events', '<th>At</th><th>Event</th><th>Properties</th>')}
</div>
</section>
<section aria-label="Calls">
<h2>Calls ${newest}</h2>
${table('calls', '<th>At</th><th>Request</th><th>Status</th><th class="num">ms</th>')}
<p class="empty" id="no-calls"><span class="all">No calls yet.</span><span class="found" hidden>No call fits.</span></p>
</div>
</section>
</div>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Only this page's own script and style run, and only this server is spoken to. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `script-src ${sha256(SCRIPT)}`,
    `style-src ${sha256(STYLE)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};
