/** The journeys of the new phone as lists of forms, so that a test can stop after any of them. */
import { at, recoveryCodeOnPage, typePassword } from '../rig/ceremony.ts';
import type { Fields } from '../rig/forms.ts';
import { PASSWORD } from '../rig/hemma.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import { ceremonyUrl, nextDigits, newKeyOnPage, type Person, type Town } from './people.ts';

/** One person on the way, and what that person has in the hands by now. */
export interface Trip {
  town: Town;
  person: Person;
  visitor: Visitor;
  /** The key in the new phone, once its QR code was scanned. */
  newKey?: string;
  /** The new recovery code, once it was shown. */
  newCode?: string;
}

interface Sent {
  fields: Fields;
  button?: string;
}

/** One form: the page that it stands on, and what the person does there. */
export interface Move {
  page: string;
  answer(trip: Trip): Sent | Promise<Sent>;
}

const password: Move = {
  page: 'password',
  answer: ({ person: { email } }) => ({ fields: { email, password: PASSWORD } }),
};

const codeAmongTheDigits: Move = {
  page: 'totp',
  answer: ({ person }) => ({ fields: { code: person.recoveryCode } }),
};

const codeOnItsPage: Move = {
  page: 'totp',
  async answer({ visitor, person }) {
    at('recovery-code', await visitor.follow('Ny eller förlorad telefon?'));
    return { fields: { code: person.recoveryCode }, button: 'phoneGone=no' };
  },
};

const gone: Move = { page: 'recovery-code', answer: () => ({ fields: {}, button: 'phoneGone=yes' }) };

const connect = (page: 'enrollment' | 're-enrollment'): Move => ({
  page,
  answer(trip) {
    trip.newKey = newKeyOnPage(trip.visitor.screen);
    return { fields: { code: sixDigits(trip.newKey) } };
  },
});

const keepCode: Move = {
  page: 'new-recovery-code',
  answer(trip) {
    trip.newCode = recoveryCodeOnPage(trip.visitor.screen);
    return { fields: { lastGroup: trip.newCode.slice(-4) } };
  },
};

const deactivate: Move = { page: 'confirm', answer: () => ({ fields: {}, button: 'choice=do' }) };

export interface Journey {
  name: string;
  moves: readonly Move[];
  /** Where it begins, in the browser that goes it. */
  begin(town: Town, person: Person): Promise<Trip>;
}

const inNewBrowser = async (town: Town, person: Person): Promise<Trip> => {
  const trip = { town, person, visitor: newVisitor() };
  await trip.visitor.visit((await town.autopay.begin()).url);
  return trip;
};

const fromMyDetails = async (town: Town, person: Person, link: string): Promise<Trip> => {
  await person.visitor.visit(town.hemma.url('/account'));
  await person.visitor.follow(link);
  return { town, person, visitor: person.visitor };
};

/** J3: seven screens. */
export const shortWay: Journey = {
  name: 'the short way',
  moves: [password, codeAmongTheDigits, gone, connect('re-enrollment'), keepCode],
  begin: inNewBrowser,
};

/** J4, the article's first two paragraphs. */
export const codeInsteadOfPhone: Journey = {
  name: 'the code instead of the phone',
  moves: [password, codeOnItsPage, keepCode],
  begin: inNewBrowser,
};

/** J4, the third paragraph up to where two-step verification is off. */
export const deactivation: Journey = {
  name: 'deactivating by code',
  moves: [password, codeAmongTheDigits, deactivate],
  begin: (town, person) => fromMyDetails(town, person, 'Inaktivera tvåstegsverifiering'),
};

/** J4, the rest of the third paragraph, in the browser that deactivated just now. */
export const activation: Journey = {
  name: 'activating again',
  moves: [password, connect('enrollment'), keepCode],
  async begin(town, person) {
    const { visitor } = person;
    await visitor.visit(ceremonyUrl(town.hemma, 'deactivate_two_step'));
    at('totp', await typePassword(visitor, person.email));
    at('confirm', await visitor.submit({ code: nextDigits(person.key) }));
    at('account', await visitor.submit({}, 'choice=do'));
    return fromMyDetails(town, person, 'Aktivera tvåstegsverifiering');
  },
};

/** Goes on from the page in front of the person until the list ends, or `until` forms of it were sent. */
export async function walk(trip: Trip, moves: readonly Move[], until = moves.length): Promise<Screen> {
  for (const move of moves.slice(0, until)) {
    at(move.page, trip.visitor.screen);
    const { fields, button } = await move.answer(trip);
    await trip.visitor.submit(fields, button);
  }
  return trip.visitor.screen;
}
