import { CALLS } from './calls.ts';
import { CONTACTS } from './contacts.ts';
import { DOM } from './dom.ts';
import { FAULTS } from './faults.ts';
import { FOLLOW } from './follow.ts';
import { ROWS } from './rows.ts';
import { TOOLS } from './tools.ts';
import { TOTALS } from './totals.ts';

/** The page's script: its parts share one scope, and the last one starts it. */
export const SCRIPT: string = ["'use strict';", DOM, ROWS, CONTACTS, CALLS, TOTALS, FAULTS, TOOLS, FOLLOW].join('\n');
