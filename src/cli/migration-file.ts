import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a migration stands. */
export interface MigrationFile {
  readonly path: string;
  /** False: the newest one of that name says the same already. */
  readonly written: boolean;
}

/**
 * Writes a migration for `supabase db push`: `<folder>/migrations/<time>_<name>.sql`. One that was pushed never changes, so a new
 * file is made where the newest of that name says something else. Later than all that are there, as they run in that order.
 * @param folder the project's `supabase` folder
 * @param name of letters, digits and `_`
 */
export async function writeMigration(folder: string, name: string, script: string, now: Date): Promise<MigrationFile> {
  const migrations = join(folder, 'migrations');
  await mkdir(migrations, { recursive: true });
  const files = (await readdir(migrations)).filter((file) => /^\d{14}_.*\.sql$/.test(file)).toSorted();
  const newest = files.findLast((file) => file.slice(15) === `${name}.sql`);
  const text = `${script.trimEnd()}\n`;
  if (newest !== undefined && (await readFile(join(migrations, newest), 'utf8')) === text) {
    return { path: join(migrations, newest), written: false };
  }
  const path = join(migrations, `${versionAfter(files.at(-1)?.slice(0, 14), now)}_${name}.sql`);
  await writeFile(path, text);
  return { path, written: true };
}

/** The time as a version, or the one after the last there is, where that is later. */
function versionAfter(last: string | undefined, now: Date): string {
  const version = now.toISOString().replaceAll(/\D/g, '').slice(0, 14);
  return last === undefined || last < version ? version : String(BigInt(last) + 1n);
}
