import { describe, expect, test } from 'vitest';
import { closest, editDistance, suggestion } from './suggest.ts';

describe('edit distance', () => {
  test.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['email', 'email', 0],
    ['emial', 'email', 1],
    ['emal', 'email', 1],
    ['kitten', 'sitting', 3],
  ])('%j to %j takes %d', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
    expect(editDistance(to, from)).toBe(distance);
  });
});

describe('suggestion', () => {
  const keys = ['enabled', 'project_url', 'api_key', 'sync'];

  test('names the nearest key, whatever its case', () => {
    expect(closest('Projct_URL', keys)).toBe('project_url');
    expect(suggestion('enabeld', keys)).toBe('Did you mean "enabled"?');
  });

  test('a part is enough', () => {
    expect(closest('project', keys)).toBe('project_url');
    expect(closest('token', ['api_token'])).toBe('api_token');
    expect(closest('syn', ['synchronise'])).toBeUndefined();
  });

  test('lists the keys when none is near', () => {
    expect(suggestion('frequency', keys)).toBe('Known here: enabled, project_url, api_key, sync.');
    expect(suggestion('x', [])).toBe('Nothing may stand here.');
  });

  test('a huge word costs nothing', () => {
    expect(closest('x'.repeat(1_000_000), keys)).toBeUndefined();
  });
});
