import { z } from 'zod';
import type { Account } from '../users/users.ts';
import { accountById, searchPeople } from '../users/users.ts';
import { leavingRows } from '../users/audit-search.ts';
import { asWritten, attributesOf } from '../users/attributes.ts';
import { listClaims } from '../users/claim-definitions.ts';
import { accountFor, mayAct, personFor } from '../users/operators.ts';
import { invite } from '../users/search.ts';
import { liveCode } from '../mfa/recovery-code.ts';
import { authenticatorOf } from '../mfa/totp.ts';
import { locales } from '../i18n/phrases.ts';
import { auditRows } from '../audit/audit-log.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoint, nextOf, placeIn } from './endpoint.ts';
import { exampleGroup, examplePerson, exampleRow } from './examples.ts';
import type { Problem } from './problem.ts';
import {
  accountId,
  auditRow,
  groupId,
  iso,
  isoOrNull,
  listOf,
  moment,
  momentOrNull,
  paged,
  role,
} from './shapes.ts';

export const personParams = z.object({ id: accountId });

const listed = z.object({
  id: accountId,
  email: z.string(),
  name: z.string(),
  state: z.enum(['active', 'invited', 'disabled']),
  role,
  roleGroup: groupId.nullable().meta({ description: 'The group that the role is limited to.' }),
  locale: z.enum(locales).nullable(),
  emailVerified: z.boolean(),
  twoStepRequired: z.boolean(),
  createdAt: moment,
  invitedAt: momentOrNull,
  disabledAt: momentOrNull,
});

const person = listed.extend({
  groups: z.array(z.object({ id: groupId, name: z.string() })),
  attributes: z
    .record(z.string(), z.union([z.string(), z.array(z.string())]))
    .optional()
    .meta({ description: "What the account has for the house's own claims, for those who may set it." }),
  authenticator: z
    .object({ since: moment, lastUsedAt: moment, disabledAt: momentOrNull })
    .nullable()
    .meta({ description: 'The connected phone; null: none.' }),
  recoveryCode: z.object({ since: moment, checkedAt: momentOrNull }).nullable(),
  lastSignInAt: momentOrNull,
  links: z.object({ events: z.string() }),
});

export const inList = (one: Account): z.output<typeof listed> => ({
  id: one.id,
  email: one.email,
  name: one.name,
  state: one.disabledAt ? 'disabled' : one.invitedAt ? 'invited' : 'active',
  role: one.role,
  roleGroup: one.operatorGroup ?? null,
  locale: one.locale ?? null,
  emailVerified: one.emailVerified,
  twoStepRequired: one.twoStepRequired,
  createdAt: iso(one.createdAt),
  invitedAt: isoOrNull(one.invitedAt),
  disabledAt: isoOrNull(one.disabledAt),
});

const list = endpoint({
  method: 'GET',
  path: '/people',
  name: 'listPeople',
  summary: 'Search people by the beginning of an address, or by words of a name.',
  description: 'By address. Whoever is limited to a group sees its people alone.',
  scope: 'people:read',
  action: 'people.read',
  query: z.strictObject({
    q: z.string().max(254).default(''),
    group: groupId.optional(),
    ...paged,
  }),
  answers: { status: 200, schema: listOf(listed) },
  refuses: ['invalid-cursor'],
  example: { query: { q: 'nora', limit: '10' }, answer: { items: [examplePerson], next: null } },
  async handle(asked) {
    const { q, group, limit } = asked.query;
    const at = placeIn(asked, 'people');
    if ('problem' in at) return at;
    // One more than is answered tells whether there are more.
    const sought = { text: q.trim(), group, after: at.place, limit: limit + 1 };
    const found = await searchPeople(asked.house.db, asked.caller.actor, sought);
    const items = found.slice(0, limit);
    const last = found.length > limit ? items.at(-1)?.email : undefined;
    return { body: { items: items.map(inList), next: nextOf(asked, 'people', last) } };
  },
});

const refusals = ['malformed-email', 'missing-name', 'has-account', 'no-such-group'] as const;

const invitation = endpoint({
  method: 'POST',
  path: '/people',
  name: 'invitePerson',
  summary: 'Invite somebody: the account is made, and the person chooses the password.',
  description: 'What a caller that is limited to a group invites belongs to that group.',
  scope: 'people:write',
  action: 'people.invite',
  fresh: true,
  body: z.strictObject({
    email: z.string().max(254),
    name: z.string().min(1).max(200),
    locale: z.enum(locales).optional(),
    group: groupId.optional(),
  }),
  answers: { status: 201, schema: listed },
  refuses: refusals,
  example: {
    body: { email: 'sven@north.example', name: 'Sven Norrman', locale: 'sv', group: exampleGroup.id },
    answer: {
      ...examplePerson,
      id: '5e0e4c3b-7a51-4c0b-8f0c-0f6c4f0f2a11',
      email: 'sven@north.example',
      name: 'Sven Norrman',
      state: 'invited',
      locale: 'sv',
      invitedAt: '2026-03-02T08:00:00.000Z',
    },
  },
  async handle({ house, ctx, caller, body }) {
    const { db, hasher, post, settings } = house;
    const doer = { by: caller.actor, origin: ctx.state.origin };
    const made = await invite(db, hasher, settings.HEMMA_BRAND_NAME, post, { ...body, ...doer });
    if ('account' in made) {
      const { id } = made.account;
      // Read again: it was made before the invitation was noted.
      const account = (await accountById(db, id)) ?? made.account;
      return { location: `${settings.HEMMA_ISSUER}/api/people/${id}`, body: inList(account) };
    }
    const code = refusals.find((one) => one === made.refusal);
    if (!code) throw new Error(`an invitation was refused for ${made.refusal}`);
    return { problem: code };
  },
});

const one = endpoint({
  method: 'GET',
  path: '/people/{id}',
  name: 'getPerson',
  summary: 'A person: state, role, groups, factors and the last sign-in.',
  scope: 'people:read',
  action: 'people.read',
  params: personParams,
  answers: { status: 200, schema: person },
  refuses: [],
  example: {
    params: { id: examplePerson.id },
    answer: {
      ...examplePerson,
      groups: [exampleGroup],
      attributes: { department: 'Kontoret' },
      authenticator: {
        since: '2026-03-01T09:00:00.000Z',
        lastUsedAt: '2026-03-02T06:30:00.000Z',
        disabledAt: null,
      },
      recoveryCode: null,
      lastSignInAt: '2026-03-01T09:00:00.000Z',
      links: { events: `/api/people/${examplePerson.id}/events` },
    },
  },
  async handle({ house, caller, params: { id } }) {
    const { db } = house;
    const found = await personFor(db, caller.actor, 'people.read', id);
    if (!found) return { problem: 'not-found' };
    const { account, groups } = found;
    const phone = await authenticatorOf(db, id);
    const code = await liveCode(db, id);
    const [signIn] = await auditRows(db, { accountId: id, event: 'sign-in.finished', limit: 1 });
    const authenticator = phone && {
      since: iso(phone.createdAt),
      lastUsedAt: iso(phone.lastUsedAt),
      disabledAt: isoOrNull(phone.disabledAt),
    };
    const recoveryCode = code && { since: iso(code.since), checkedAt: isoOrNull(code.checked) };
    return {
      body: {
        ...inList(account),
        groups,
        ...(mayAct(caller.actor, 'people.attributes')
          ? { attributes: asWritten(await listClaims(db), await attributesOf(db, id)) }
          : {}),
        authenticator: authenticator ?? null,
        recoveryCode: recoveryCode ?? null,
        lastSignInAt: isoOrNull(signIn?.at),
        links: { events: `/api/people/${id}/events` },
      },
    };
  },
});

const events = endpoint({
  method: 'GET',
  path: '/people/{id}/events',
  name: 'listPersonEvents',
  summary: 'What happened to a person lately: the fifteen newest events.',
  description: 'All of them are found by `GET /api/audit?account=…`, with its own scope.',
  scope: 'people:read',
  action: 'people.read',
  params: personParams,
  answers: { status: 200, schema: z.object({ items: z.array(auditRow) }) },
  refuses: [],
  example: { params: { id: examplePerson.id }, answer: { items: [exampleRow] } },
  async handle({ house, caller, params: { id } }) {
    const account = await accountFor(house.db, caller.actor, 'people.read', id);
    if (!account) return { problem: 'not-found' } satisfies Problem;
    return { body: { items: await leavingRows(house.db, caller.actor, { accountId: id, limit: 15 }) } };
  },
});

export const people: readonly Endpoint[] = [list, invitation, one, events];
