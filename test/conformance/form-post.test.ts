/** Form Post OP, module by module (OpenID Connect certification). */
import { afterAll, beforeAll } from '@jest/globals';
import { basic } from './basic.ts';
import { certify, type Op, startOp } from './op.ts';

let op: Op;
beforeAll(async () => {
  op = await startOp();
});
const report = certify(
  'Form Post OP: oidcc-formpost-basic-certification-test-plan',
  () => op,
  'form_post',
  basic,
);
afterAll(async () => {
  report();
  await op.stop();
});
