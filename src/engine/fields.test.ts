import { describe, expect, test } from 'vitest';
import type { AttributeType } from '../core/mapping.ts';
import { mailtrap } from '../destinations/mailtrap/index.ts';
import { fieldsProblem, planFields } from './fields.ts';

const mailtrapFields = mailtrap.fields!;

describe('planFields', () => {
  const destination = { max: 4, typeFor: (type: AttributeType): string => mailtrapFields.typeFor(type) };

  test('creates what is missing, with the destination’s own type', () => {
    const plan = { FIRSTNAME: 'text', SIGNUP_DATE: 'timestamp', AGE: 'integer' } as const;
    expect(planFields(plan, [{ name: 'FIRSTNAME', type: 'text' }], destination)).toEqual({
      create: [
        { name: 'SIGNUP_DATE', type: 'timestamp', remoteType: 'date' },
        { name: 'AGE', type: 'integer', remoteType: 'integer' },
      ],
      mismatched: [],
      tooMany: [],
    });
  });

  test('a whole number fits a field for fractions; a fraction does not fit a field for whole numbers', () => {
    const plan = { A: 'integer', B: 'float' } as const;
    const remote = [
      { name: 'A', type: 'float' },
      { name: 'B', type: 'integer' },
    ];
    expect(planFields(plan, remote, destination).mismatched).toEqual([
      { name: 'B', wanted: 'float', found: 'integer' },
    ]);
  });

  test('what does not fit below the maximum is listed, and fields that are not ours count', () => {
    const plan = { A: 'text', B: 'text', C: 'text' } as const;
    const remote = ['x', 'y', 'z'].map((name) => ({ name, type: 'text' }));
    const changes = planFields(plan, remote, destination);
    expect(changes.create.map((f) => f.name)).toEqual(['A']);
    expect(changes.tooMany).toEqual(['B', 'C']);
    expect(planFields(plan, [...remote, ...remote], destination)).toMatchObject({
      create: [],
      tooMany: ['A', 'B', 'C'],
    });
  });
});

describe('fieldsProblem', () => {
  const at = { name: 'mailtrap', max: 40 };
  const missing = { name: 'A', type: 'text', remoteType: 'text' } as const;

  test('names both types', () => {
    const problem = fieldsProblem(
      { create: [], mismatched: [{ name: 'AGE', wanted: 'integer', found: 'text' }], tooMany: [] },
      at,
      true,
    );
    expect(problem).toMatchObject({
      code: 'RC_FIELD_TYPE',
      message: 'Fields at mailtrap have another type than their attributes: AGE (is text, must be integer).',
    });
  });

  test('lists what has no room at the vendor’s maximum', () => {
    const problem = fieldsProblem({ create: [missing], mismatched: [], tooMany: ['B', 'C'] }, at, true);
    expect(problem).toMatchObject({
      code: 'RC_FIELD_LIMIT',
      message: 'mailtrap keeps at most 40 fields, and there is no room for: B, C.',
    });
  });

  test('lists what is missing when fields may not be created', () => {
    const problem = fieldsProblem({ create: [missing], mismatched: [], tooMany: ['B'] }, at, false);
    expect(problem).toMatchObject({
      code: 'RC_FIELDS_MISSING',
      message: 'mailtrap lacks fields that are mapped: A, B.',
    });
    expect(fieldsProblem({ create: [], mismatched: [], tooMany: [] }, at, false)).toBeUndefined();
  });
});
