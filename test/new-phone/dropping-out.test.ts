/** J3: whoever closes the lid half-way is not locked out, and no code is good twice. */
import { afterAll, beforeAll } from '@jest/globals';
import { startHemma } from '../rig/hemma.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { NEW_PHONE, THE_NEW, THE_OLD } from './afterwards.ts';
import { dropsOut } from './dropping-out.ts';
import { shortWay } from './journeys.ts';
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
  journey: shortWay,
  end: 'back',
  points: [
    { sent: 1, where: 'after the password', lives: THE_OLD },
    { sent: 2, where: 'after the code, asked about the phone', lives: THE_OLD },
    { sent: 3, where: 'in front of the QR code', lives: THE_OLD },
    { sent: 4, where: 'the new phone connected, its code shown', lives: NEW_PHONE },
    { sent: 5, where: 'at the end', lives: THE_NEW },
  ],
});
