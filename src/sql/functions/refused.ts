/** Whether a destination has refused a contact's state as it is: then it waits for a change. As SQL over \`s\`, its row of desired. */
export const REFUSED: string = `exists (select from rollcall.dead_letters l where l.destination_id = p_destination and l.contact_id = s.contact_id
          and l.stage = 'deliver' and l.version = s.version)`;
