/** What stands in the guides of docs/connect: their registrations and programs, as a reader copies them out. */
import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { type ClientDescription, clientSchema } from '../../src/clients/schema.ts';

const folder = resolve(import.meta.dirname, '../../docs/connect');

/** Where the two are that every guide has at http://localhost:3000 and http://localhost:8080. */
export interface Here {
  hemma: string;
  app: string;
}

/** The file of that name that a guide prints: "`name`:" and a block of code. Throws where there is none. */
export async function programOf(guide: string, name: string, { hemma, app }: Here): Promise<string> {
  const text = await readFile(resolve(folder, `${guide}.md`), 'utf8');
  const [, code] = text.split(`\n\`${name}\`:\n\n\`\`\``);
  const body = code?.slice(code.indexOf('\n') + 1, code.indexOf('\n```\n') + 1);
  if (!body) throw new Error(`${guide}.md prints no ${name}`);
  return body.replaceAll('http://localhost:3000', hemma).replaceAll('http://localhost:8080', app);
}

/** The application as a guide has it registered (`<id>.yaml`). */
export async function registrationOf(guide: string, here: Here): Promise<ClientDescription> {
  const text = await readFile(resolve(folder, `${guide}.md`), 'utf8');
  const [, name = 'registration'] = /^`([a-z-]+-app\.yaml)`:$/m.exec(text) ?? [];
  return clientSchema.parse(parse(await programOf(guide, name, here)));
}

/** Every guide, by name. */
export const guides = async (): Promise<string[]> =>
  (await readdir(folder)).filter((file) => file !== 'README.md').map((file) => file.replace(/\.md$/, ''));

/** The YAML files that a page of docs prints, in their order. */
export async function filesOf(page: string): Promise<unknown[]> {
  const text = await readFile(resolve(folder, `../${page}.md`), 'utf8');
  return [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, body = '']) => parse(body) as unknown);
}
