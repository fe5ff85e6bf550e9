/** What `init` has to know to write a config. */
export interface InitAnswers {
  /** Name of the environment variable with the database URL. */
  readonly databaseUrlEnv: string;
  readonly destination: 'mailtrap';
  /** Account id; undefined leaves it to MAILTRAP_ACCOUNT_ID, which may be unset. */
  readonly accountId: string | undefined;
  /** Ids or names. */
  readonly lists: readonly string[];
  readonly consent:
    | { readonly kind: 'nobody' }
    | { readonly kind: 'column'; readonly path: string }
    | { readonly kind: 'everyone'; readonly basis: string };
}

/** A text as it stands in YAML: quoted, and with `${` kept from being read as a variable. */
function quoted(text: string): string {
  return JSON.stringify(text.replaceAll('${', () => '$${'));
}

function consentLine({ consent }: InitAnswers): string {
  switch (consent.kind) {
    case 'nobody':
      return 'consent: nobody';
    case 'column':
      return `consent: {column: ${quoted(consent.path)}}`;
    case 'everyone':
      return `consent: {everyone: ${quoted(consent.basis)}}`;
  }
}

/** The text of a commented `rollcall.yaml`. Secrets are references to the environment, never values. */
export function renderInitFile(answers: InitAnswers, environment: 'production' | 'development' = 'production'): string {
  const lists = answers.lists.map((list) => (/^[1-9]\d{0,14}$/.test(list) ? list : quoted(list)));
  const account = answers.accountId === undefined ? '"${MAILTRAP_ACCOUNT_ID:-}"' : quoted(answers.accountId);
  return `# Rollcall: which people of a Supabase project are contacts where. Check it with: rollcall config check
# \${NAME} is read from the environment, \${NAME:-text} with a default.

# The project's Postgres (Supabase dashboard, Connect). Role "postgres".
database_url: "\${${answers.databaseUrlEnv}}"
# Certificate of the database server, for hosted Supabase (Database settings, SSL configuration).
# ssl_root_cert: ./prod-ca-2021.crt

# The name of this install. Another name in another copy of the database keeps the two apart. With "development",
# destinations go to the stand-ins that "rollcall sandbox" runs on this machine.
environment: ${environment}

connectors:
  supabase:
    enabled: true
    # project_url: "https://<ref>.supabase.co"
    sync:
      users: true
    # Column or metadata path of auth.users -> attribute at the destination. Nothing else leaves the database.
    user_mapping:
      email: email
      phone: {to: SMS, transform: e164}
      user_metadata.full_name: FIRSTNAME
      user_metadata.avatar_url: AVATAR_URL
      created_at: SIGNUP_DATE
      last_sign_in_at: LAST_SIGN_IN
      app_metadata.provider: PROVIDER
      confirmed_at: CONFIRMED_AT
      # unconfirmed: true    # also send addresses that nobody has confirmed
    # Tables as contacts or events, and events of Auth and Storage: docs/mapping.md
    # table_mapping:
    #   orders: {sync_as: events, event_name: order_placed, properties: {total: amount}}
    # events: [user.signed_up]

destinations:
  mailtrap:
    api_token: "\${MAILTRAP_TOKEN}"
    # Only needed where the token does not say which account.
    account_id: ${account}
    # Lists that a new contact joins, by id or name.
    lists: [${lists.join(', ')}]
    # on_delete: delete      # who leaves is deleted there; or: unsubscribe, keep

# Who may be mailed: nobody (until an opt-in), {column: <path>} (people for whom it is true),
# or {everyone: "<the stated basis>"}. Signing up is no opt-in.
${consentLine(answers)}
`;
}
