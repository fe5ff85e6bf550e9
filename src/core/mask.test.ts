import { expect, test } from 'vitest';
import { maskAddress } from './mask.ts';

test.each([
  ['ann@example.com', 'a***@example.com'],
  ['"a@b"@example.com', '"***@example.com'],
  ['@example.com', '@***'],
  ['nobody', 'n***'],
  ['', '***'],
])('%s', (address, masked) => {
  expect(maskAddress(address)).toBe(masked);
});
