import { test } from 'vitest';
import { conformance } from '../../testing/conformance.ts';
import destination from './index.ts';
import standIn from './sandbox/index.ts';

for (const each of conformance({ destination, standIn })) test(each.name, each.run);
