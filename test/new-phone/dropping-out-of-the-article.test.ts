/** J4, in by code and deactivating: at no point is somebody locked out, and no code is good twice. */
import { afterAll, beforeAll } from '@jest/globals';
import { startHemma } from '../rig/hemma.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { NOTHING, THE_OLD } from './afterwards.ts';
import { dropsOut } from './dropping-out.ts';
import { codeInsteadOfPhone, deactivation } from './journeys.ts';
import type { Town } from './people.ts';

let town: Town;
beforeAll(async () => {
  const hemma = await startHemma();
  town = { hemma, autopay: await startRelyingParty({ hemma }) };
});
afterAll(async () => {
  await town.autopay.stop();
  await town.hemma.stop();
});

dropsOut(() => town, {
  journey: codeInsteadOfPhone,
  end: 'back',
  points: [
    { sent: 1, where: 'after the password', lives: THE_OLD },
    { sent: 2, where: 'after the code, the new one shown', lives: THE_OLD },
    { sent: 3, where: 'at the end', lives: { ...NOTHING, oldPhone: true, newCode: true } },
  ],
});

dropsOut(() => town, {
  journey: deactivation,
  end: 'account',
  points: [
    { sent: 1, where: 'after the password', lives: THE_OLD },
    { sent: 2, where: 'after the code, asked whether to deactivate', lives: THE_OLD },
    { sent: 3, where: 'at the end', lives: NOTHING },
  ],
});
