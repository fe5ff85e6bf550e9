/** Tajo's contact API is Brevo's, with an account of its own. */
export { default } from '../../brevo/sandbox/index.ts';
