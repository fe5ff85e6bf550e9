// docs/destinations.md, made of what the destinations say of themselves. A test holds that the page is what this gives.

const HEAD = `# Destinations

What each destination can do, made of its own description by \`npm run docs\`; a test holds that this page is up to date. Each has
a page of its own with what is sent when, what answers mean, and where the facts are from. All of them pass one
[conformance suite](../CONTRIBUTING.md#a-destination), which is also there for destinations of your own: see \`rollcall/testing\`.
`;

const REMOVE = { hard: 'deleted', soft: 'kept, not mailed', none: 'no' };
const EVENTS = { keyed: 'yes, each once', unkeyed: 'yes, perhaps twice', none: 'no' };
const BULK = { job: 'yes, as a job', answer: 'yes, answered at once', none: 'no' };
const REPEATED = { upsert: 'updates again', key: 'void by a key' };
const WEBHOOK = { signed: 'yes, signed', unsigned: 'yes, unsigned', none: 'no' };

const yes = (is) => (is ? 'yes' : 'no');
const list = (items) => (items.length === 0 ? 'no' : items.map((item) => `\`${item}\``).join(', '));
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** Column by column: its head, and what stands in it. */
const COLUMNS = [
  ['destination', ({ id, name }) => `[${name}](#${anchor(name)}) (\`${id}\`)`],
  ['address', ({ capabilities }) => (capabilities.address === 'email' ? 'email' : 'email or phone')],
  ['removal', ({ capabilities }) => REMOVE[capabilities.remove]],
  ['can be kept unmailed', ({ capabilities }) => yes(capabilities.consent.tell)],
  ['opt-outs are read from', ({ capabilities }) => list(capabilities.consent.read)],
  ['tells of opt-outs', ({ capabilities }) => WEBHOOK[capabilities.consent.webhook]],
  ['reads all contacts', (destination) => yes((destination.exports ?? destination.pages) !== undefined)],
  [
    'lists',
    ({ capabilities, lists }) =>
      capabilities.lists ? `yes${lists?.members === undefined ? '' : ', many members at once'}` : 'no',
  ],
  ['fields are created', ({ capabilities }) => yes(capabilities.fields)],
  ['events', ({ capabilities, eventLimits }) => EVENTS[capabilities.events] + together(eventLimits)],
  [
    'many in one request',
    ({ capabilities, bulk }) => BULK[capabilities.bulk] + (bulk === undefined ? '' : `, ${thousands(bulk.most)}`),
  ],
  ['a request again', ({ capabilities }) => REPEATED[capabilities.idempotency]],
  ['asks to wait by', ({ capabilities }) => list(capabilities.rateHeaders)],
  ['homes', ({ capabilities }) => list(capabilities.homes)],
];

function anchor(name) {
  return name
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
}

function together(limits) {
  return limits?.perRequest === undefined ? '' : `, ${thousands(limits.perRequest)} together`;
}

function thousands(count) {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

function row(cells) {
  return `| ${cells.map(cell).join(' | ')} |`;
}

function table(heads, rows) {
  return [row(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(row)].join('\n');
}

/** What an entry of the config may hold: alternatives are told as one. */
function optionsOf(schema) {
  const found = new Map();
  for (const part of [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]) {
    for (const [name, option] of Object.entries(part.properties ?? {})) {
      if (!found.has(name)) found.set(name, { ...option, required: part.required?.includes(name) === true });
    }
  }
  return [...found];
}

/** Options that are valid, so that what each is without being written can be seen. */
function sample(destination) {
  return destination.standIn('http://127.0.0.1', 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=');
}

/** What an option is when it is not written. */
function standard(destination, name, { required }) {
  if (required) return 'required';
  const { [name]: _written, ...others } = sample(destination);
  const value = destination.config.safeParse(others).data?.[name];
  return value === undefined ? 'none' : `\`${JSON.stringify(value)}\``;
}

function settings(destination) {
  const schema = destination.config.toJSONSchema({ io: 'input', unrepresentable: 'any' });
  return table(
    ['setting', 'default', 'meaning'],
    optionsOf(schema).map(([name, option]) => [
      `\`${name}\``,
      standard(destination, name, option),
      `${option.description ?? ''}${option.secret === true ? ' (a secret)' : ''}`,
    ]),
  );
}

function limits(destination) {
  const config = destination.config.safeParse(sample(destination));
  if (!config.success) return '';
  const { buckets, bytesPerRequest } = destination.limits(config.data);
  const each = buckets.map(
    ({ requests, perMs, of }) =>
      `${thousands(requests)} requests in ${perMs / 1_000} s${of === undefined ? '' : ` (${of.join(', ')})`}`,
  );
  if (bytesPerRequest !== undefined) each.push(`${thousands(bytesPerRequest)} bytes a request`);
  return each.length === 0 ? '' : `Limits: ${each.join('; ')}.\n\n`;
}

function unverified({ capabilities }) {
  if (capabilities.unverified.length === 0) return '';
  const rows = capabilities.unverified.map(({ what, setting }) => [what, `\`${setting}\``]);
  return `\nNot proven by any source, and so behind a setting with a safe default:\n\n${table(['what', 'setting'], rows)}\n`;
}

function section(destination) {
  const { id, name, docsUrl } = destination;
  return `## ${name}

[What is sent, and why](../src/destinations/${id}/README.md); [the vendor's own documents](${docsUrl}).

${limits(destination)}${settings(destination)}
${unverified(destination)}`;
}

/**
 * The page.
 * @param registry all destinations; drafts are left out
 */
export function destinationsPage(registry) {
  const written = registry.filter(({ draft }) => draft !== true).toSorted((a, b) => a.name.localeCompare(b.name, 'en'));
  const matrix = table(
    COLUMNS.map(([head]) => head),
    written.map((destination) => COLUMNS.map(([, show]) => show(destination))),
  );
  return [HEAD, `${matrix}\n`, ...written.map(section)].join('\n');
}
