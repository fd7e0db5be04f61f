import type { ResourceServerPhrases } from './sv.ts';

/** Words about APIs that take tokens of ours (resource servers). */
export const resourceServersEn: ResourceServerPhrases = {
  title: 'APIs that take our tokens',
  link: 'APIs that the applications call',
  back: 'To the applications',
  help: 'An API that is registered here can have access tokens of its own: for its address alone, with only the scopes that you write down, and signed, so that it reads them without asking us. In an application you then choose which of them it may ask for.',
  none: 'No API is registered yet. One is needed when an application calls an API that is to trust our tokens.',
  create: 'Register an API',
  newTitle: 'Register an API',
  editTitle: (name) => `Edit ${name}`,
  edit: 'Edit the API',
  submitNew: 'Register the API',
  submit: 'Save the changes',
  waiting: 'One moment …',
  cancel: 'Cancel',
  columns: { name: 'Name', id: 'Identifier', format: 'Tokens', managed: 'Managed in' },
  fileHelp: 'This API is managed in a file (hemma clients apply). Change it there.',
  toConnect: 'How an application asks for a token',
  toConnectHelp: (id) =>
    `Send resource=${id} with the authorization request and with the token request, beside the scopes that are needed. A service sends it with its token request.`,
  scopes: 'Scopes',
  users: 'May ask for tokens',
  usersNone: 'No application may ask for tokens yet. Choose the API in the form of an application.',
  notices: {
    created: 'The API is registered.',
    changed: 'The changes are saved and hold for new tokens.',
    unchanged: 'Nothing was different.',
    removed: 'The API is removed.',
  },
  remove: {
    title: (name) => `Remove ${name}`,
    consequence:
      'No new tokens are made for the API. Signed tokens that were handed out already hold until their time is over.',
    inUse: 'Not yet: these applications use the API. Take it out there first.',
    button: 'Remove the API',
  },

  fields: {
    id: {
      label: 'Identifier (resource, aud)',
      help: 'A whole address that the API checks aud for, like https://api.example.com/orders. Cannot be changed.',
    },
    name: { label: 'Name', help: 'Whoever is asked for consent sees it.' },
    scopes: {
      label: 'Scopes, one on each line',
      help: 'The name, a blank, and what it allows: orders:read read your orders',
    },
    tokenFormat: { label: 'Kind of token' },
    signingAlg: { label: 'Signature', help: 'For signed tokens only.' },
    lifetime: {
      label: 'Lasts for seconds',
      help: 'From 60 to 3600. Nobody can take a signed token back: it holds until its time is over, also for whoever was disabled or signed out. So ten minutes where you choose nothing else. A service never has more than ten.',
    },
  },

  formats: {
    jwt: 'Signed (JWT): the API reads it by itself',
    opaque: 'Opaque: the API asks us every time (introspection)',
  },

  client: {
    group: 'Other APIs',
    none: 'No API is registered.',
    introspectsNone: 'None',
    consent: (name) => `At ${name}:`,
  },

  clientFields: {
    resources: {
      label: 'What it may ask for there',
      help: 'None chosen: it gets no tokens for them.',
    },
    introspects: {
      label: 'Is itself this API',
      help: 'It may then ask us about opaque tokens of the API (introspection).',
    },
  },

  faults: {
    'resource-reserved': 'What is below our own address is ours. Choose another.',
    'resource-taken': 'There is an API with that identifier already.',
    'resource-in-use': 'An application uses what would be gone. Take it out there first.',
    'resource-changed-meanwhile':
      'Somebody else changed the API while you typed. Look at it and make your change again.',
    'resource-managed-by-file': 'The API is managed in a file. Change it there.',
    'resource-unknown': 'There is no API with that identifier.',
    'resource-scope-unknown': 'The API has no such scope.',
    'resource-twice': 'The API is in the list already.',
    'scopes-missing': 'At least one scope is needed.',
    'scope-malformed': 'A scope is written without blanks, quotation marks and accented letters.',
    'scope-reserved': 'That name means something else here. Choose another.',
    'scope-twice': 'The scope is in the list already.',
    'alg-not-used': 'An opaque token has no signature.',
    'only-for-a-service': 'Only a service can do that.',
  },

  events: {
    'resource-server.created': 'An API was registered',
    'resource-server.changed': 'An API was changed',
    'resource-server.removed': 'An API was removed',
  },
};
