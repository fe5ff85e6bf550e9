import { expect, it } from 'vitest';
import { hostGuard } from './host-guard.ts';

it.each([
  ['127.0.0.1', '127.0.0.1:4000', true],
  ['127.0.0.1', 'localhost:4000', true],
  ['127.0.0.1', 'LOCALHOST', true],
  ['127.0.0.1', '[::1]:4000', true],
  ['127.0.0.1', '127.9.9.9', true],
  ['127.0.0.1', 'evil.example:4000', false],
  ['127.0.0.1', '127.0.0.1.evil.example', false],
  ['127.0.0.1', 'localhost.evil.example', false],
  ['127.0.0.1', '10.0.0.1', false],
  ['127.0.0.1', undefined, false],
  ['10.0.0.1', '10.0.0.1:80', true],
  ['10.0.0.1', '10.0.0.2:80', false],
  ['0.0.0.0', 'sandbox:4000', true],
])('bound to %s, the host %s: %s', (bound, header, allowed) => {
  expect(hostGuard(bound)(header)).toBe(allowed);
});
