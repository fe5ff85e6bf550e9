import { createHash } from 'node:crypto';
import { SCRIPT } from './page-script.ts';
import { STYLE } from './page-style.ts';

const tile = (id: string, label: string): string => `<div><b id="${id}">0</b><span>${label}</span></div>`;

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
<h1>Rollcall sandbox<small>Mailtrap stand-in</small></h1>
<span id="link" role="status">connecting</span>
<input id="filter" type="search" placeholder="Filter contacts, events and calls" aria-label="Filter contacts, events and calls" autocomplete="off">
</header>
<div id="counters">
${tile('n-contacts', 'contacts')}${tile('n-events', 'events')}${tile('n-calls', 'calls')}${tile('n-rate', 'calls / s')}${tile('n-ok', 'accepted')}
${tile('n-client', 'refused')}${tile('n-limited', 'rate limited')}${tile('n-server', 'server errors')}${tile('n-dropped', 'dropped')}
</div>
<main>
<section aria-label="Contacts">
<h2>Contacts <small>newest first, last 200</small></h2>
<div class="scroll">
<table><thead><tr><th>Email</th><th>Fields</th><th>Lists</th><th>Status</th><th>First, last call</th></tr></thead>
<tbody id="contacts"></tbody></table>
<p class="empty" id="no-contacts">No contacts yet. They appear here the moment the API accepts them.</p>
</div>
</section>
<div id="side">
<section aria-label="Events" id="events-part" hidden>
<h2>Events <small>newest first, last 200</small></h2>
<div class="scroll">
<table><thead><tr><th>At</th><th>Event</th><th>Params</th></tr></thead>
<tbody id="events"></tbody></table>
</div>
</section>
<section aria-label="Calls">
<h2>Calls <small>newest first, last 200</small></h2>
<div class="scroll">
<table><thead><tr><th>At</th><th>Method</th><th>Path</th><th>Status</th><th class="num">ms</th></tr></thead>
<tbody id="calls"></tbody></table>
<p class="empty" id="no-calls">No calls yet.</p>
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
