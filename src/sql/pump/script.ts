import { answer } from './answer.ts';
import { collect } from './collect.ts';
import { editor } from './editor.ts';
import { facts } from './facts.ts';
import { fill } from './fill.ts';
import { many } from './many.ts';
import { post } from './post.ts';
import { pump } from './pump.ts';
import { reading } from './reading.ts';
import { unit } from './unit.ts';
import { upkeep } from './upkeep.ts';
import { values } from './values.ts';

/** The functions of the SQL home. They are there in every install, and do nothing until `rollcall deploy sql` has run. */
export const pumpScript: string = [
  values,
  fill,
  facts,
  answer,
  post,
  unit,
  collect,
  many,
  reading,
  upkeep,
  pump,
  editor,
].join('\n');
