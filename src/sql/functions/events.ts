import { eventKeeping } from './event-keeping.ts';
import { eventMapping } from './event-mapping.ts';
import { eventReading } from './event-reading.ts';
import { eventWriting } from './event-writing.ts';
import { history } from './history.ts';
import { told } from './told.ts';

/** From captured rows to events that wait for their destinations. Their delivery is in event-delivery.ts. */
export const events: string = [history, eventMapping, eventReading, told, eventWriting, eventKeeping].join('\n');
