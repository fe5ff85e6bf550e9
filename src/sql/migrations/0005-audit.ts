/** Reading what a destination has, and what a restored database must remember. */
export const audit: string = /* sql */ `
-- What a destination was found to have, while it is compared with what it shall have. Personal data of people we may not
-- even know: forgotten when the comparison ends. Not logged: lost in a crash, as is the comparison.
create unlogged table rollcall.remote_contacts (
  place bigint generated always as identity primary key,
  destination_id smallint not null,
  address text not null,                       -- written as ours are
  written text not null,                       -- as it stands there
  remote_id text,
  status text not null,
  fields jsonb not null
);
create index remote_contacts_address on rollcall.remote_contacts (address, destination_id);
create index remote_contacts_id on rollcall.remote_contacts (remote_id, destination_id) where remote_id is not null;

-- Whose they are. One reading of a destination at a time; that of a dead process is soon over.
create table rollcall.remote_readings (
  destination_id smallint primary key,
  run uuid not null,
  began_at timestamptz not null,
  until timestamptz not null,
  found bigint                                 -- rows, once all are there
);

-- Found unsubscribed at the destination: stays opted out whatever the sources say.
alter table rollcall.desired add column left_there_at timestamptz;
-- Set when a worker had seen a later write position than this database has: it was restored to an earlier point.
alter table rollcall.install add column set_back_at timestamptz;
-- Whose a contact is that stands at an address nobody has any more.
create index past_addresses_address on rollcall.past_addresses (address, destination_id);
`;
