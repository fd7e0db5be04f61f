/** The container files, judged without an engine: the specification's schema, and what DESIGN asks of them. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DCLinter } from 'dclint';
import { parse } from 'yaml';
import { loadAutopaySettings as readAutopaySettings } from '../../autopay/settings.ts';
import { readSettings } from '../../config/settings.ts';

const root = resolve(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');

interface Service {
  image: string;
  environment?: Record<string, string>;
  ports?: string[];
  network_mode?: string;
  healthcheck?: object;
  stop_grace_period?: string;
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
}
const { services, volumes } = parse(text) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};

interface Message {
  type: 'warning' | 'error';
  line: number;
  rule: string;
  message: string;
}

/** What the linter says against a compose file, by the specification's schema and its security rules. */
function refusals(file: string): string[] {
  const rules = {
    'invalid-yaml': 2,
    'no-duplicate-container-names': 2,
    'no-duplicate-exported-ports': 2,
    'no-unbound-port-interfaces': 2,
    'service-image-require-explicit-tag': 0,
    'no-build-and-image': 0,
  } as const;
  const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] });
  // The package's own types do not resolve in an ES module.
  const results = linter.lintFiles([file], false) as { messages: Message[] }[];
  const all = results.flatMap(({ messages }) => messages);
  return all
    .filter(({ type }) => type === 'error')
    .map(({ line, rule, message }) => `${line} ${rule}: ${message}`);
}

/** The environment of a service when nothing is set outside: compose's `${NAME:-default}` filled in. */
function environmentOf(name: string): Record<string, string> {
  const given = services[name]?.environment ?? {};
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')]),
  );
}

describe('docker-compose.yml', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hemma-compose-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('follows the specification', () => expect(refusals(join(root, 'docker-compose.yml'))).toEqual([]));

  test.each([
    ['an unknown key', "services: { a: { image: 'b:1', helthcheck: {} } }", /invalid-schema.*\/services\/a/],
    [
      'a port for everybody',
      "services: { a: { image: 'b:1', ports: ['3000:3000'] } }",
      /no-unbound-port-interfaces/,
    ],
    [
      'a dependency on nothing known',
      "services: { a: { image: 'b:1', depends_on: { b: { condition: 'soon' } } } }",
      /depends_on/,
    ],
  ])('is judged by something that refuses %s', async (_what, wrong, why) => {
    const file = join(folder, 'docker-compose.yml');
    await writeFile(file, wrong);
    expect(refusals(file).join('\n')).toMatch(why);
  });

  test('has the five services, all with a health check', () => {
    expect(Object.keys(services)).toEqual(['hemma', 'postgres', 'mailpit', 'autopay', 'lon']);
    for (const service of Object.values(services)) expect(service).toHaveProperty('healthcheck.test');
  });

  test('publishes on this machine only, and the database not at all', () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports).toEqual(
      expect.arrayContaining(['127.0.0.1:3000:3000', '127.0.0.1:3001:3001', '127.0.0.1:3002:3002']),
    );
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(services['postgres']).not.toHaveProperty('ports');
  });

  test.each(['autopay', 'lon'])('%s means the same by localhost as the browser does', (name) => {
    expect(services[name]).toMatchObject({ network_mode: 'service:hemma', image: services['hemma']?.image });
    expect(services[name]).toHaveProperty('depends_on.hemma.condition', 'service_healthy');
    expect(services[name]).not.toHaveProperty('ports');
  });

  test('gives the provider settings that it accepts', () => {
    const read = readSettings(environmentOf('hemma'));
    expect(read).toMatchObject({
      settings: { HEMMA_ISSUER: 'http://localhost:3000', HEMMA_HOST: '0.0.0.0' },
    });
  });

  test('gives the provider longer to stop than it takes', () => {
    const read = readSettings(environmentOf('hemma'));
    const drain = 'settings' in read ? read.settings.HEMMA_DRAIN_SECONDS : 60;
    const [, seconds] = /^(\d+)s$/.exec(services['hemma']?.stop_grace_period ?? '') ?? [];
    expect(Number(seconds)).toBeGreaterThanOrEqual(drain + 30);
  });

  test.each(['autopay', 'lon'])(
    'gives %s settings that it accepts, with the secret that the provider knows',
    (name) => {
      const environment = environmentOf(name);
      expect(readAutopaySettings(environment)).toMatchObject({
        ok: true,
        settings: { app: name, host: '0.0.0.0' },
      });
      expect(environment['AUTOPAY_CLIENT_SECRET']).toBe(environmentOf('hemma')['HEMMA_DEMO_CLIENT_SECRET']);
    },
  );

  test('keeps data in named volumes', () => {
    const mounts = Object.values(services).flatMap((service) => service.volumes ?? []);
    expect(mounts.map((mount) => mount.split(':')[0])).toEqual(Object.keys(volumes));
    expect(services['postgres']?.image).toBe('postgres:18');
  });
});

describe('Dockerfile', () => {
  const file = readFileSync(join(root, 'Dockerfile'), 'utf8').replaceAll(/\\\n/g, ' ');
  const lines = file.split('\n').filter((line) => line.trim() && !line.startsWith('#'));
  const stages = lines.flatMap((line, at) => (line.startsWith('FROM ') ? [lines.slice(at)] : []));
  const last = stages.at(-1)?.join('\n') ?? '';

  test('builds in one stage and runs in another, both on Node 24', () => {
    expect(stages.map(([from]) => from)).toEqual(['FROM node:24-slim AS build', 'FROM node:24-slim']);
    expect(last).not.toMatch(/npm (?:ci|install|run)/);
    expect(file).toMatch(/npm prune --omit=dev/);
  });

  test('runs as nobody special, from files that it cannot change', () => {
    expect(last).toMatch(/^USER node$/m);
    expect(last.indexOf('USER node')).toBeLessThan(last.indexOf('\nCMD'));
    expect(last).not.toMatch(/COPY .*--chown/);
  });

  test('asks the provider whether it lives, and starts it without npm in between', () => {
    expect(last).toMatch(/HEALTHCHECK [^\n]*\/health\/live/);
    expect(last).toMatch(/CMD \["node", .*"dist\/src\/main\.js"\]/);
  });

  test('takes nothing into the image but what is named', () => {
    const [everything, ...named] = readFileSync(join(root, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    expect(everything).toBe('*');
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(named.map((line) => line.slice(1)).sort()).toEqual(copied.sort());
  });
});
