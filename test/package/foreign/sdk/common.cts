// CommonJS: Node has required ES modules from 20.19 on.
import rollcall = require('rollcall');

export const made: rollcall.Rollcall = new rollcall.Rollcall({ apiKey: 'a-key-of-the-test' });
