import { z } from 'zod';
import type { User } from '../users/users.ts';
import { findUserById, searchUsers } from '../users/users.ts';
import { findPublicAuditEvents } from '../users/audit-search.ts';
import { serializeAttributes, findAttributes } from '../users/attributes.ts';
import { listClaims } from '../users/claim-definitions.ts';
import { findVisibleUser, hasPermission, findVisibleUserWithGroups } from '../users/operators.ts';
import { inviteUser } from '../users/search.ts';
import { findActiveRecoveryCode } from '../mfa/recovery-code.ts';
import { findAuthenticator } from '../mfa/totp.ts';
import { locales } from '../i18n/phrases.ts';
import { findAuditEvents } from '../audit/audit-log.ts';
import type { Endpoint } from './endpoint.ts';
import { defineEndpoint, encodeListCursor, decodeListCursor } from './endpoint.ts';
import { exampleGroup, exampleUser, exampleAuditEvent } from './examples.ts';
import type { Problem } from './problem.ts';
import {
  userId,
  auditEventSchema,
  groupId,
  isoString,
  isoStringOrNull,
  pageOf,
  instant,
  instantOrNull,
  pageQueryFields,
  roleSchema,
} from './shapes.ts';

export const userParams = z.object({ id: userId });

const userSummary = z.object({
  id: userId,
  email: z.string(),
  name: z.string(),
  state: z.enum(['active', 'invited', 'disabled']),
  role: roleSchema,
  roleGroup: groupId.nullable().meta({ description: 'The group that the role is limited to.' }),
  locale: z.enum(locales).nullable(),
  emailVerified: z.boolean(),
  twoStepRequired: z.boolean(),
  createdAt: instant,
  invitedAt: instantOrNull,
  disabledAt: instantOrNull,
});

const userDetails = userSummary.extend({
  groups: z.array(z.object({ id: groupId, name: z.string() })),
  attributes: z
    .record(z.string(), z.union([z.string(), z.array(z.string())]))
    .optional()
    .meta({ description: "What the account has for the house's own claims, for those who may set it." }),
  authenticator: z
    .object({ since: instant, lastUsedAt: instant, disabledAt: instantOrNull })
    .nullable()
    .meta({ description: 'The connected phone; null: none.' }),
  recoveryCode: z.object({ since: instant, checkedAt: instantOrNull }).nullable(),
  lastSignInAt: instantOrNull,
  links: z.object({ events: z.string() }),
});

export const toUserSummary = (one: User): z.output<typeof userSummary> => ({
  id: one.id,
  email: one.email,
  name: one.name,
  state: one.disabledAt ? 'disabled' : one.invitedAt ? 'invited' : 'active',
  role: one.role,
  roleGroup: one.operatorGroup ?? null,
  locale: one.locale ?? null,
  emailVerified: one.emailVerified,
  twoStepRequired: one.twoStepRequired,
  createdAt: isoString(one.createdAt),
  invitedAt: isoStringOrNull(one.invitedAt),
  disabledAt: isoStringOrNull(one.disabledAt),
});

const listUsersEndpoint = defineEndpoint({
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
    ...pageQueryFields,
  }),
  answers: { status: 200, schema: pageOf(userSummary) },
  refuses: ['invalid-cursor'],
  example: { query: { q: 'nora', limit: '10' }, answer: { items: [exampleUser], next: null } },
  async handle(request) {
    const { q, group, limit } = request.query;
    const at = decodeListCursor(request, 'people');
    if ('problem' in at) return at;
    // One more than is answered tells whether there are more.
    const sought = { text: q.trim(), group, after: at.place, limit: limit + 1 };
    const found = await searchUsers(request.house.db, request.caller.actor, sought);
    const items = found.slice(0, limit);
    const last = found.length > limit ? items.at(-1)?.email : undefined;
    return { body: { items: items.map(toUserSummary), next: encodeListCursor(request, 'people', last) } };
  },
});

const invitationProblems = ['malformed-email', 'missing-name', 'has-account', 'no-such-group'] as const;

const inviteUserEndpoint = defineEndpoint({
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
  answers: { status: 201, schema: userSummary },
  refuses: invitationProblems,
  example: {
    body: { email: 'sven@north.example', name: 'Sven Norrman', locale: 'sv', group: exampleGroup.id },
    answer: {
      ...exampleUser,
      id: '5e0e4c3b-7a51-4c0b-8f0c-0f6c4f0f2a11',
      email: 'sven@north.example',
      name: 'Sven Norrman',
      state: 'invited',
      locale: 'sv',
      invitedAt: '2026-03-02T08:00:00.000Z',
    },
  },
  async handle({ house: context, ctx, caller, body }) {
    const { db, hasher, post: enqueueMail, settings } = context;
    const auditActor = { by: caller.actor, origin: ctx.state.origin };
    const made = await inviteUser(db, hasher, settings.HEMMA_BRAND_NAME, enqueueMail, {
      ...body,
      ...auditActor,
    });
    if ('account' in made) {
      const { id } = made.account;
      // Read again: it was made before the invitation was noted.
      const user = (await findUserById(db, id)) ?? made.account;
      return { location: `${settings.HEMMA_ISSUER}/api/people/${id}`, body: toUserSummary(user) };
    }
    const code = invitationProblems.find((one) => one === made.refusal);
    if (!code) throw new Error(`an invitation was refused for ${made.refusal}`);
    return { problem: code };
  },
});

const getUserEndpoint = defineEndpoint({
  method: 'GET',
  path: '/people/{id}',
  name: 'getPerson',
  summary: 'A person: state, role, groups, factors and the last sign-in.',
  scope: 'people:read',
  action: 'people.read',
  params: userParams,
  answers: { status: 200, schema: userDetails },
  refuses: [],
  example: {
    params: { id: exampleUser.id },
    answer: {
      ...exampleUser,
      groups: [exampleGroup],
      attributes: { department: 'Kontoret' },
      authenticator: {
        since: '2026-03-01T09:00:00.000Z',
        lastUsedAt: '2026-03-02T06:30:00.000Z',
        disabledAt: null,
      },
      recoveryCode: null,
      lastSignInAt: '2026-03-01T09:00:00.000Z',
      links: { events: `/api/people/${exampleUser.id}/events` },
    },
  },
  async handle({ house: context, caller, params: { id } }) {
    const { db } = context;
    const found = await findVisibleUserWithGroups(db, caller.actor, 'people.read', id);
    if (!found) return { problem: 'not-found' };
    const { account: user, groups } = found;
    const authenticatorRow = await findAuthenticator(db, id);
    const recoveryCodeRow = await findActiveRecoveryCode(db, id);
    const [signIn] = await findAuditEvents(db, { accountId: id, event: 'sign-in.finished', limit: 1 });
    const authenticator = authenticatorRow && {
      since: isoString(authenticatorRow.createdAt),
      lastUsedAt: isoString(authenticatorRow.lastUsedAt),
      disabledAt: isoStringOrNull(authenticatorRow.disabledAt),
    };
    const recoveryCode = recoveryCodeRow && {
      since: isoString(recoveryCodeRow.since),
      checkedAt: isoStringOrNull(recoveryCodeRow.checked),
    };
    return {
      body: {
        ...toUserSummary(user),
        groups,
        ...(hasPermission(caller.actor, 'people.attributes')
          ? { attributes: serializeAttributes(await listClaims(db), await findAttributes(db, id)) }
          : {}),
        authenticator: authenticator ?? null,
        recoveryCode: recoveryCode ?? null,
        lastSignInAt: isoStringOrNull(signIn?.at),
        links: { events: `/api/people/${id}/events` },
      },
    };
  },
});

const listUserEventsEndpoint = defineEndpoint({
  method: 'GET',
  path: '/people/{id}/events',
  name: 'listPersonEvents',
  summary: 'What happened to a person lately: the fifteen newest events.',
  description: 'All of them are found by `GET /api/audit?account=…`, with its own scope.',
  scope: 'people:read',
  action: 'people.read',
  params: userParams,
  answers: { status: 200, schema: z.object({ items: z.array(auditEventSchema) }) },
  refuses: [],
  example: { params: { id: exampleUser.id }, answer: { items: [exampleAuditEvent] } },
  async handle({ house: context, caller, params: { id } }) {
    const user = await findVisibleUser(context.db, caller.actor, 'people.read', id);
    if (!user) return { problem: 'not-found' } satisfies Problem;
    return {
      body: { items: await findPublicAuditEvents(context.db, caller.actor, { accountId: id, limit: 15 }) },
    };
  },
});

export const userEndpoints: readonly Endpoint[] = [
  listUsersEndpoint,
  inviteUserEndpoint,
  getUserEndpoint,
  listUserEventsEndpoint,
];
