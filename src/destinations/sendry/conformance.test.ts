import { describe, test } from 'vitest';
import { conformance } from '../../testing/conformance.ts';
import { sendry } from './index.ts';
import standIn from './sandbox/index.ts';

// The registry's own run has the careful defaults, and a vendor whose upsert resubscribes.
const worlds = {
  'the API as its SDKs have it': {
    options: { dialect: 'sdk', attributes_as: 'metadata' },
    settings: { errorStyle: 'sdk', attributesAs: 'metadata' },
  },
  'the API as its documentation has it': {
    options: { dialect: 'docs', attributes_as: 'both' },
    settings: { contactStyle: 'docs', importAnswer: 'docs', attributesAs: 'metadata' },
  },
  'the API as the recipe has it, where an upsert keeps an opt-out': {
    options: { upsert_keeps_unsubscribed: true, attributes_as: 'properties' },
    settings: { upsertResets: false, attributesAs: 'properties' },
  },
};

describe.each(Object.entries(worlds))('%s', (_, world) => {
  for (const { name, run } of conformance({ destination: sendry, standIn, ...world })) test(name, run);
});
