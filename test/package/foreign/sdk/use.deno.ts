import * as rollcall from 'rollcall';
import { track } from './track.mjs';

await track(rollcall);
