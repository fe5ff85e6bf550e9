import { test } from 'node:test';
import { conformance } from 'rollcall/testing';
import { destination } from './destination.mjs';
import { standIn } from './stand-in.mjs';

// As a mistake would be: what was cleared is left out.
const forgetful = {
  ...destination,
  encode: (delivery, plan, config) => {
    const attributes = Object.fromEntries(Object.entries(delivery.attributes).filter(([, value]) => value !== null));
    return destination.encode({ ...delivery, attributes }, plan, config);
  },
};

const tested = process.env.FORGETFUL === 'yes' ? forgetful : destination;
for (const each of conformance({ destination: tested, standIn })) void test(each.name, each.run);
