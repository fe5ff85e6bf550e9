import type { Destination } from '../../core/destination.ts';
import type { BrevoConfig } from '../brevo/config.ts';
import { brevoDestination } from '../brevo/destination.ts';

/** Tajo, whose contact API is Brevo's (tajo.io documents `POST https://api.brevo.com/v3/contacts`). README.md says more. */
export const tajo: Destination<BrevoConfig> = brevoDestination({
  id: 'tajo',
  name: 'Tajo',
  docsUrl: 'https://tajo.io/docs/connectors',
  variable: 'TAJO_API_KEY',
});

export default tajo;
