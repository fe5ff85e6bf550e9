import { RollcallError } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Client } from './client.ts';
import type { Answered } from './project.ts';
import { textOf } from './text-of.ts';
import { isUuid } from '../../core/uuid.ts';

const MOST_FILES = 1_000;
const MOST_BUCKETS = 100;

/** Takes files of one folder, as rows of `storage.objects`. */
export type OnFiles = (files: readonly JsonObject[]) => Promise<void>;

/**
 * Lists all files of all buckets, folder by folder: a list shows one level, and names of folders without an id
 * (storage:src/http/routes/object/listObjects.ts).
 * @throws RollcallError `RC_API_STORAGE`, and what `Client.ask` throws
 */
export async function readFiles(client: Client, onFiles: OnFiles): Promise<void> {
  for (let offset = 0; ; offset += MOST_BUCKETS) {
    const buckets = listIn(
      client,
      await client.ask(`/storage/v1/bucket?limit=${MOST_BUCKETS}&offset=${offset}&sortColumn=name`),
    );
    for (const bucket of buckets)
      if (typeof bucket['id'] === 'string') await readFolder(client, bucket['id'], '', onFiles);
    if (buckets.length !== MOST_BUCKETS) return;
  }
}

/** Whether a file is there still, under its own name and id. @throws as `readFiles` */
export async function fileStands(client: Client, bucket: string, name: string, id: string): Promise<boolean> {
  const slash = name.lastIndexOf('/');
  const found = await listOf(client, bucket, {
    prefix: slash < 0 ? '' : name.slice(0, slash),
    search: name.slice(slash + 1),
    offset: 0,
  });
  return found.some((file) => file['name'] === name.slice(slash + 1) && file['id'] === id);
}

async function readFolder(client: Client, bucket: string, prefix: string, onFiles: OnFiles): Promise<void> {
  const folders: string[] = [];
  for (let offset = 0; ;) {
    const found = await listOf(client, bucket, { prefix, search: '', offset });
    const pathOf = (name: Json | undefined): string => (prefix === '' ? textOf(name) : `${prefix}/${textOf(name)}`);
    // A folder is a name alone.
    folders.push(...found.filter(({ id }) => id === null).map(({ name }) => pathOf(name)));
    const files = found.filter(({ id }) => typeof id === 'string');
    await onFiles(files.map((file) => rowOf(bucket, pathOf(file['name']), file)));
    offset += found.length;
    if (found.length === 0) break;
  }
  for (const folder of folders) await readFolder(client, bucket, folder, onFiles);
}

/** Lists tell no owner: as policies commonly have it, a file belongs to the user whose id its first folder is. */
function rowOf(bucket: string, name: string, file: JsonObject): JsonObject {
  const [first = ''] = name.split('/');
  const owner = file['owner_id'] ?? file['owner'] ?? (isUuid(first) ? first : null);
  const { id = null, created_at = null, updated_at = null, last_accessed_at = null, metadata = null } = file;
  return { id, bucket_id: bucket, name, owner_id: owner, created_at, updated_at, last_accessed_at, metadata };
}

async function listOf(
  client: Client,
  bucket: string,
  { prefix, search, offset }: { readonly prefix: string; readonly search: string; readonly offset: number },
): Promise<readonly JsonObject[]> {
  const body = { prefix, search, limit: MOST_FILES, offset, sortBy: { column: 'name', order: 'asc' } };
  return listIn(client, await client.ask(`/storage/v1/object/list/${encodeURIComponent(bucket)}`, { body }));
}

function listIn(client: Client, { status, json }: Answered): readonly JsonObject[] {
  if (status === 200 && Array.isArray(json)) return json.filter(isJsonObject);
  throw new RollcallError('RC_API_STORAGE', `The Storage API of ${client.host} gives no list (HTTP ${status}).`, {
    hint: 'See the logs of the project (dashboard, Logs, Storage), or take the events of files out of the config.',
  });
}
