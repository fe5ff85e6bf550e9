import { packageMissing } from './packages.ts';
import type { Project } from './project.ts';

/** People of the demo, acting through supabase-js as an app would. */
export interface People {
  /** Signs the next person up. @throws Error with the project's words when it refuses */
  signUp(): Promise<Person>;
}

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  /** Changes the name in the profile. */
  rename(name: string): Promise<void>;
}

const FIRST = [
  'Ada',
  'Bo',
  'Chloé',
  'Dmitri',
  'Eve',
  'Fatima',
  'Grace',
  'Héctor',
  'Ingrid',
  'Jun',
  'Kofi',
  'Lena',
  'Mia',
  'Noor',
  'Olu',
  'Pia',
];
const LAST = [
  "O'Brien",
  'Lovelace',
  'Nguyễn',
  'Müller',
  'Okafor',
  'Rossi',
  'Sato',
  'Smith',
  'Silva',
  'Kowalska',
  'Ivanova',
  'Haddad',
];

/** The n-th person's name; all letters of the world take part. */
export function personName(n: number): string {
  return `${FIRST[n % FIRST.length]} ${LAST[Math.floor(n / FIRST.length) % LAST.length]}`;
}

interface AuthAnswer {
  readonly data: { readonly user: { readonly id: string } | null };
  readonly error: { readonly message: string } | null;
}
interface Client {
  readonly auth: {
    signUp(input: object): Promise<AuthAnswer>;
    updateUser(input: object): Promise<AuthAnswer>;
  };
}

/** @throws RollcallError `RC_DEMO_PACKAGES` when supabase-js is not installed */
export async function createPeople(project: Project): Promise<People> {
  const createClient = await loadClient();
  let next = 0;
  return {
    async signUp() {
      const n = next;
      next += 1;
      const name = personName(n);
      const email = `${name
        .split(' ')[0]
        ?.normalize('NFD')
        .replaceAll(/[^A-Za-z]/g, '')
        .toLowerCase()}+${n + 1}@example.com`;
      // A client for each person: it holds that person's session, as a browser would.
      const client = createClient(project.url, project.publishableKey);
      const { data, error } = await client.auth.signUp({
        email,
        password: 'correct horse battery staple',
        options: { data: { full_name: name } },
      });
      if (error !== null || data.user === null) throw new Error(`sign-up refused: ${error?.message ?? 'no user'}`);
      return {
        id: data.user.id,
        email,
        name,
        async rename(to) {
          const answer = await client.auth.updateUser({ data: { full_name: to } });
          if (answer.error !== null) throw new Error(`profile edit refused: ${answer.error.message}`);
        },
      };
    },
  };
}

const SUPABASE_JS = '@supabase/supabase-js';
const WS = 'ws';

async function loadClient(): Promise<(url: string, key: string) => Client> {
  try {
    const { createClient } = (await import(SUPABASE_JS)) as {
      createClient: (url: string, key: string, options: object) => Client;
    };
    const { WebSocket } = (await import(WS)) as { WebSocket: unknown };
    return (url, key) =>
      createClient(url, key, {
        auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
        // supabase-js refuses Node 20 without one.
        realtime: { transport: WebSocket },
      });
  } catch (cause) {
    throw packageMissing('RC_DEMO_PACKAGES', cause);
  }
}
