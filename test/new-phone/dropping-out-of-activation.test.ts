/** J4, activating again: at no point is somebody locked out, and no code is good twice. */
import { afterAll, beforeAll } from '@jest/globals';
import { startHemma } from '../rig/hemma.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { NEW_PHONE, NOTHING, THE_NEW } from './afterwards.ts';
import { dropsOut } from './dropping-out.ts';
import { activation } from './journeys.ts';
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
  journey: activation,
  end: 'account',
  points: [
    { sent: 1, where: 'in front of the QR code', lives: NOTHING },
    { sent: 2, where: 'the new phone connected, its code shown', lives: NEW_PHONE },
    { sent: 3, where: 'at the end', lives: THE_NEW },
  ],
});
