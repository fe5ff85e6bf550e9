/** What people ask that is not about one command. */
export interface Topic {
  readonly name: string;
  readonly summary: string;
  /** At most 78 characters a line. */
  readonly text: string;
  /** Page of the documents that has the rest. */
  readonly more: string;
}

export const TOPICS: readonly Topic[] = [
  {
    name: 'config',
    summary: 'what stands in rollcall.yaml',
    text: `One file says what goes where. Only \`destinations\` and \`consent\` must be there:

  database_url: \${DATABASE_URL}
  connectors:
    supabase:
      user_mapping: { email: email, user_metadata.full_name: FIRSTNAME }
  destinations:
    mailtrap: { api_token: "\${MAILTRAP_TOKEN}" }
  consent: nobody

Write one:        rollcall init
Check it:         rollcall config check       (mistakes with line and column)
For your editor:  rollcall config schema > rollcall.schema.json
Put it to work:   rollcall apply              (shows what changes, and asks)

\${NAME} is an environment variable, \${NAME:-text} has a default. A worker runs
with the config that was applied: after a change, apply it and restart.`,
    more: 'README.md, "The config"',
  },
  {
    name: 'mapping',
    summary: 'which columns become which attributes, lists and events',
    text: `A column or path on the left, an attribute of the destination on the right:

  connectors:
    supabase:
      user_mapping:
        email: email
        phone: { to: SMS, transform: e164 }
        user_metadata.plan: PLAN
        attributes:
          ORDERS: { sql: "count(*)", from: orders }
      table_mapping:
        customers: { email: email, company: COMPANY }
        orders:
          sync_as: events
          event_name: order_placed
          contact: { email: customer_email }
          properties: { total: amount }

Only what is mapped leaves the database. A row that does not fit is a dead
letter of one person: \`rollcall failures\`. \`config check\` says what the
database makes of a mapping before anything is installed.`,
    more: 'docs/mapping.md',
  },
  {
    name: 'consent',
    summary: 'who may be mailed, and what an opt-out does',
    text: `\`consent\` has no default; one of:

  consent: nobody                                    # until they opt in there
  consent: { column: user_metadata.marketing_opt_in }   # whoever said yes
  consent: { everyone: "the basis, in your words" }     # you have a basis

Signing up is no opt-in. Nothing that Rollcall sends subscribes anybody who has
left: only a new, recorded yes does. Who leaves one destination leaves all. For
the app, \`select rollcall.can_email(<user id>)\` says who may be mailed. An
erased person (\`rollcall erase\`) stays erased, and their opt-out holds.`,
    more: 'docs/consent.md',
  },
  {
    name: 'brakes',
    summary: 'why contacts are held, and how to let them go',
    text: `More than 2% of a destination's contacts (and at least 10) to delete within an
hour are held, and more than 20% (and at least 100) that change. New people and
opt-outs go on. Nothing is lost: who is held is sent once somebody says so.

  rollcall status                   what is held
  rollcall release --deletes 120    let the 120 oldest go
  rollcall release --changes 500

Said beforehand, the number passes in the next hour. Was it a mistake? Put the
rows back: whoever comes back is held no longer. The limits stand under
\`brakes:\` in the config.`,
    more: 'docs/operations.md',
  },
  {
    name: 'homes',
    summary: 'where deliveries run: a worker, the project, the database',
    text: `The same config and the same state, in three homes; one of them is enough:

  worker   rollcall start          a Node process or a container, or many
  edge     rollcall deploy edge    an Edge Function in the project, no server
  sql      rollcall deploy sql     the database itself: pg_cron, pg_net, Vault

The worker is the fastest and sends to every destination; not all destinations
can be sent to from all homes. \`rollcall status\` says who delivers.`,
    more: 'docs/edge.md, docs/sql.md, docs/hosts, docs/destinations.md',
  },
  {
    name: 'secrets',
    summary: 'where keys stand, and what is never shown',
    text: `Keys belong into the environment or into Supabase Vault, not into the file:

  destinations:
    mailtrap: { api_token: "\${MAILTRAP_TOKEN}" }
    brevo: { api_key: "\${vault:brevo_api_key}" }

\`--env-file .env\` reads variables from a file; those already set win, and a
file that just lies there is not read. The sql home reads Vault alone.
Keys and passwords are never in logs, errors, URLs or \`config check\`. Personal
data is masked unless you ask with --reveal.`,
    more: 'SECURITY.md',
  },
  {
    name: 'sandbox',
    summary: 'trying it without an account',
    text: `\`rollcall sandbox\` runs stand-ins of all destinations on this machine, with a
page that shows what arrives. With this in the config they are sent to:

  environment: development

Keys need not be set then. Faults on demand:

  rollcall sandbox --fault 'status=500,rate=0.3,destination=mailtrap'

All of it with a database and people, by one command: \`rollcall demo\`.`,
    more: 'docs/sandbox.md',
  },
  {
    name: 'debug',
    summary: 'seeing more of what happens',
    text: `  connectors:
    supabase:
      debug: true            # short for log_level: debug
      log_level: verbose     # another word for debug; error, warn, info
      log_queries: true      # the text of each query, never its values
      log_realtime: true     # each batch of changes as it comes in, as counts

Of the log of a worker (JSON lines on standard output) and of the edge home.
With debug there is a line for each attempt, with ids, code and milliseconds.
No line has personal data. None of these needs an apply: a worker reads them
when it starts, and \`rollcall config check\` says what will be logged.

  rollcall tail                       deliveries as they happen
  rollcall logs --person ann@x.com    what was tried for one person
  ROLLCALL_DEBUG=1 rollcall ..        where a fault of ours happened`,
    more: 'docs/operations.md',
  },
  {
    name: 'json',
    summary: 'reading the output with a program',
    text: `--json prints one document on standard output; \`tail\`, \`logs\` and \`status
--watch\` one line each. What is no result (progress, notes, errors) is on
standard error. Colours are off unless the output is a terminal, and with
NO_COLOR=1. Keys may be added in any version; none changes its meaning.

  rollcall status --json | jq -e .healthy
  rollcall tail --json --outcome reject | jq -r .words`,
    more: 'README.md, "Commands"',
  },
  {
    name: 'exit-codes',
    summary: 'what a command ends with',
    text: `  0     done, or healthy
  1     failed, or something needs a person (status, doctor, audit)
  2     the command line was not understood
  130   ended at once by a second Ctrl-C (143: by SIGTERM)

An error has a code such as RC_CONFIG_NOT_FOUND, which stays the same in all
versions: \`rollcall help RC_CONFIG_NOT_FOUND\` says what it means. One Ctrl-C
ends start, sandbox, tail and status --watch cleanly, with 0.`,
    more: 'docs/errors.md',
  },
  {
    name: 'troubleshooting',
    summary: 'somebody is missing, nothing is sent, something failed',
    text: `  rollcall status             what is in step, and what needs you
  rollcall doctor             all that a delivery depends on, and how to mend it
  rollcall failures           what was refused, by cause, with what to do
  rollcall logs --person ann@example.com    what was tried for one person
  rollcall tail               deliveries as they happen

Nothing is sent?       Is a worker running, is the destination paused, does a
                       brake hold it: \`status\` says which.
A key was wrong?       Mend it, restart the worker; at once: rollcall resume
Rows came in by hand?  rollcall sweep finds what triggers missed.
Is it all there?       rollcall audit compares with the destination itself.
A restored database?   rollcall recover; a copy that shall send: rollcall rebind
An error RC_..?        rollcall help RC_..`,
    more: 'docs/operations.md, docs/doctor.md, docs/errors.md',
  },
];
