import type { Destination } from '../../core/destination.ts';
import type { BrevoConfig } from './config.ts';
import { brevoDestination } from './destination.ts';

/** Brevo contacts, lists and events. */
export const brevo: Destination<BrevoConfig> = brevoDestination({
  id: 'brevo',
  name: 'Brevo',
  docsUrl: 'https://developers.brevo.com',
  variable: 'BREVO_API_KEY',
});

export default brevo;
