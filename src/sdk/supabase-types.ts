/** @ts-ignore An optional peer: where it is not installed this is `any`. */
import type { SupabaseClient as Client } from '@supabase/supabase-js';

/** supabase-js's own client, with the generated types of the project where there are some; its own word for any is that. */
// oxlint-disable-next-line typescript/no-explicit-any
export type SupabaseClient<Database> = Client<unknown extends Database ? any : Database>;
