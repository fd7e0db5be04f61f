/** Basic OP, module by module (OpenID Connect certification). */
import { afterAll, beforeAll } from '@jest/globals';
import { basic } from './basic.ts';
import { certify, type Op, startOp } from './op.ts';

let op: Op;
beforeAll(async () => {
  op = await startOp();
});
const report = certify('Basic OP: oidcc-basic-certification-test-plan', () => op, 'query', basic);
afterAll(async () => {
  report();
  await op.stop();
});
