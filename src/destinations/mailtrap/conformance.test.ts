import { test } from 'vitest';
import { conformance } from '../../testing/conformance.ts';
import { mailtrap } from './index.ts';
import standIn from './sandbox/index.ts';

// The registry's own run has the paths without an account, and errors as the schema says.
const older = { options: { account_id: '77' }, settings: { accountId: '77', errorStyle: 'nested' } };

for (const each of conformance({ destination: mailtrap, standIn, ...older })) test(`older API: ${each.name}`, each.run);
