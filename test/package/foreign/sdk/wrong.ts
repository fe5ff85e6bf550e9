// Each line that ends with "wrong" must be an error of the compiler, and no other.
import { defineConfig, Rollcall } from 'rollcall';
import type { Attributes, Database } from './database.js';

export const config = defineConfig<Database, Attributes>({
  connectors: {
    supabase: {
      sync: { tables: ['custmers'] }, // wrong
      user_mapping: {
        email: 'email',
        created_at: 'MRR', // wrong
      },
      table_mapping: {
        customers: {
          mrr: 'FIRSTNAME', // wrong
          newsletter: { to: 'NEWSLETTER', transform: 'lower' }, // wrong
          full_name: 'FIRST_NAME', // wrong
          id: { to: 'MRR', type: 'boolean' }, // wrong
        },
        orders: {
          sync_as: 'events',
          event_name: 'order_placed',
          properties: { totl: 'amount' }, // wrong
        },
      },
    },
  },
  destinations: { brevo: { attributes: { drop: ['CTY'] } } }, // wrong
  consent: 'everybody', // wrong
});

// Names that nobody has are told where the rest of an object is right.
export const names = defineConfig<Database, Attributes>({
  connectors: {
    supabase: {
      user_mapping: {
        encrypted_password: 'FIRSTNAME', // wrong
      },
      table_mapping: {
        customers: {
          full_nam: 'FIRSTNAME', // wrong
        },
        totals: {
          'adress.city': 'CITY', // wrong
        },
      },
    },
  },
});
export const table = defineConfig<Database, Attributes>({
  table_mapping: {
    'crm.lead': { email: 'email' }, // wrong
  },
});
export const segments = defineConfig<Database, Attributes>({
  segments: {
    both: { where: 'true', filter: 'plan=eq.pro', list: 'Pro' }, // wrong
    unlisted: { where: 'true' }, // wrong
    nowhere: { from: 'custmers', where: 'true', list: 'Pro' }, // wrong
    linkless: { from: 'customers', contact: { email: 'emial' }, where: 'true', list: 'Pro' }, // wrong
  },
});

const rollcall = new Rollcall<Database>();
rollcall.on('deliverd', () => undefined); // wrong
void rollcall.connectors.sync('supabase', { type: 'some' }); // wrong
void rollcall.events.track({ event: 'order_placed' }); // wrong
void rollcall.supabase.from('customers').select().eq('emial', 'a@example.com'); // wrong
