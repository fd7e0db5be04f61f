import type { RegistrationPhrases } from './sv.ts';

export const registrationEn: RegistrationPhrases = {
  title: 'Initial access tokens',
  help: 'With one of these a program registers itself as an application (RFC 7591). It is never part of the house, always asks for consent, and does not reach the interface for programs.',
  none: 'There are none. Make one when a program is to register itself.',
  create: 'New initial access token',
  columns: {
    name: 'Name',
    state: 'State',
    uses: 'Used',
    used: 'Last used',
    expires: 'Valid until',
    limits: 'May register',
  },
  states: { live: 'Valid', 'used-up': 'Used up', expired: 'Too old' },
  times: (uses, most) => `${uses}\u00a0of\u00a0${most}`,
  neverUsed: 'Never',
  everything: 'every type',
  anywhere: 'any address',
  revoke: 'Revoke',
  toClients: 'To the applications',

  name: 'Name',
  nameHelp:
    'Who gets it, for example “The Supplier Ltd”. It stays on the applications that are registered with it.',
  lifetime: 'Valid for',
  lifetimes: { '1': 'one hour', '24': '24 hours', '168': 'one week', '720': '30 days' },
  uses: 'How many applications may be registered',
  usesHelp: (most) => `From 1 to ${most}.`,
  types: 'Only these types',
  typesHelp: 'None chosen: every type.',
  hosts: 'Only addresses on these hosts',
  hostsHelp:
    'One host on each line, for example app.example.com. Empty: any. A scheme of its own is written as the domain that it is made of.',
  submit: 'Make the token',
  waiting: 'One moment …',
  cancel: 'Cancel',

  shownTitle: 'The token is made',
  shownHelp: 'Copy it now. We do not keep it and cannot show it again.',
  token: 'Initial access token',
  endpoint: 'Address for registration',
  validUntil: 'Valid until',
  done: 'I have copied it',

  revokeTitle: (name) => `Revoke ${name}`,
  revokeHelp: 'Nothing more can be registered with it. What is registered already stays.',
  revoked: 'The token is revoked.',

  mark: (token) => `Registered itself with ${token}`,

  consent: (host) =>
    `The service chose its name itself. You go on to ${host}: if you do not know it, choose Don't allow.`,
  consentOnDevice:
    "The service chose its name itself. If you do not know it, or did not begin on the device yourself, choose Don't allow.",

  refusals: {
    'name-missing': 'Give it a name.',
    'name-taken': 'There is one of that name already. Choose another.',
    'lifetime-out-of-range': 'It is valid for at least one hour and at most 30 days.',
    'uses-out-of-range': 'Type a number from 1 to 100.',
    'type-unknown': 'There is no such type of application.',
    'host-malformed': 'Type at most 50 host names, without https://, stars and spaces.',
    'too-many-tokens': 'There are a hundred already. Revoke one that is not needed.',
  },
};
