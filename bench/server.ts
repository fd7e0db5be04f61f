/** What the benchmark asks of PostgreSQL itself. */
import { readFile } from 'node:fs/promises';
import { Client } from 'pg';

/** Asks one question with a connection of its own. */
export async function queryServer<Row extends Record<string, unknown>>(
  url: string,
  question: string,
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(question)).rows;
  } finally {
    await client.end();
  }
}

/** The number of the process that all of the server's processes are children of. */
export async function postmasterPid(url: string): Promise<number> {
  const [row] = await queryServer<{ folder: string }>(
    url,
    "SELECT current_setting('data_directory') AS folder",
  );
  const [first = ''] = (await readFile(`${row?.folder}/postmaster.pid`, 'utf8')).split('\n');
  return Number(first);
}

/** What tells how many bytes a server has written to its log (WAL) since it was made, by one connection of its own. */
export async function openWalCounter(
  url: string,
): Promise<{ bytes(): Promise<number>; end(): Promise<void> }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const written = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS bytes";
  return {
    bytes: async () => (await client.query<{ bytes: number }>(written)).rows[0]?.bytes ?? 0,
    end: () => client.end(),
  };
}

/** What the server calls itself. */
export async function serverVersion(url: string): Promise<string> {
  const [row] = await queryServer<{ version: string }>(
    url,
    "SELECT current_setting('server_version') AS version",
  );
  return row?.version ?? 'unknown';
}

/** Makes an empty database. */
export const createDatabase = async (url: string, name: string): Promise<void> => {
  await queryServer(url, `CREATE DATABASE ${name}`);
};
