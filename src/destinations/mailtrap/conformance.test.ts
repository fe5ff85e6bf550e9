import { test } from 'vitest';
import { conformance } from '../../testing/index.ts';
import mailtrap from './index.ts';
import standIn from './sandbox/index.ts';

for (const each of conformance({ destination: mailtrap, standIn })) test(each.name, each.run);
