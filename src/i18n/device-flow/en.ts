import type { deviceFlowSv } from './sv.ts';

export const deviceFlowEn: typeof deviceFlowSv = {
  pages: {
    entry: {
      title: 'Sign in on a device',
      help: 'Type the code that your TV, printer or terminal shows.',
      compare: 'Compare the code below with the one on your device.',
      code: 'Code',
      codeHelp: "Eight letters. Capitals don't matter.",
      submit: 'Continue',
      waiting: 'Checking …',
    },
    warning:
      'Only go on if you started this yourself just now, on a device in front of you. Nobody from us or a help desk will ever ask you to type a code here.',
    confirm: {
      title: (client) => `Let the device sign you in to ${client}?`,
      compare: 'The device must show exactly this code:',
      asked: (time) => `The device asked for the code on ${time}.`,
      sameNetwork: (what) => `It is on the same network as you (${what}).`,
      otherNetwork: (what) => `It is on another network than you (${what}).`,
      asWhom: (email) => `It will be signed in as ${email}`,
      allow: 'Yes, sign the device in',
      waiting: 'One moment …',
      deny: "No, don't let it in",
    },
    allowed: {
      title: 'Done. Go back to the device',
      help: 'It will be signed in shortly. You can close this page.',
      later: 'You can disconnect it under My details whenever you like.',
    },
    notAllowed: {
      title: 'The device is not let in',
      help: 'You can close this page.',
      stranger: (contact) => `Did somebody else give you the code? Contact ${contact}.`,
    },
  },

  refusals: {
    'missing-user-code': 'Type the code that the device shows.',
    'wrong-user-code':
      "That code isn't right, or has been used. Look at the device and type it again, or get a new one there.",
    'expired-user-code': 'The code was good for ten minutes. Get a new one on the device.',
    'device-sign-in-ended': 'That sign-in is over. If the device still waits, get a new code on it.',
  },

  events: {
    'device.allowed': 'You signed in a device without a browser',
    'device.refused': 'You did not let in a device without a browser',
  },
};
