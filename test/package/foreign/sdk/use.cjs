const rollcall = require('rollcall');

void import('./track.mjs').then(({ track }) => track(rollcall));
