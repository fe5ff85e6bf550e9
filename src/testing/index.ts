/**
 * The conformance suite: what every destination keeps, as cases for any test runner.
 *
 * @example
 * import { test } from 'node:test';
 * import { conformance } from 'rollcall/testing';
 * import destination from './index.js';
 * import standIn from './sandbox/index.js';
 * for (const each of conformance({ destination, standIn })) test(each.name, each.run);
 * @module
 */
export type { Destination } from '../core/destination.ts';
export type { ApiReply, ApiRequest, CallSubject } from '../sandbox/api-request.ts';
export type { ShownContact, ShownEvent, StandIn, StandInMaker, StandInOptions } from '../sandbox/stand-in.ts';
export { conformance } from './conformance.ts';
export type { ConformanceCase, ConformanceKit } from './kit.ts';
