import type { Phrases } from './sv.ts';

/** Seconds up to two minutes, then minutes, always upwards: nobody should come back too early. */
function waitingTime(seconds: number): string {
  if (seconds === 1) return '1 second';
  return seconds <= 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}

export const en: Phrases = {
  page: {
    inThisLanguage: 'In English',
    languageName: 'English',
    myDetails: 'My details',
    signOut: 'Sign out',
    done: (client) => `Done. Taking you to ${client}.`,
    theApplication: 'the application you came from',
  },

  form: {
    show: 'Show',
    hide: 'Hide',
    thePassword: 'password',
    goOn: 'Continue',
    waiting: 'One moment …',
    signingInAs: (email) => `You are signing in as ${email}`,
  },

  refusals: {
    'wrong-password': "That email address and password don't match.",
    'wrong-code': "That code isn't right. Wait for the next one and try again.",
    'used-code': 'That code has been used. Wait for the next one, at most 30 seconds.',
    'clock-behind': (seconds) =>
      `The clock on your phone seems to be ${seconds} seconds slow. Turn on automatic time and try again.`,
    'clock-ahead': (seconds) =>
      `The clock on your phone seems to be ${seconds} seconds fast. Turn on automatic time and try again.`,
    throttled: (seconds) => `Too many attempts. Try again in ${waitingTime(seconds)}.`,
    'authenticator-disabled': (contact) =>
      `Many codes in a row were wrong. To protect your account we have switched off the codes from the app. Contact the help desk: ${contact}`,
    'enrollment-expired':
      'The QR code was shown more than ten minutes ago. Here is a new one. Scan it and try again.',
    'wrong-mailed-code': "That code isn't right. Read it in our latest email and try again.",
    'expired-mailed-code': 'That code no longer works. Send a new one and try again.',
    'wrong-last-group': "That isn't how the code ends. Look at the last four characters and type them again.",
    'missing-email': 'Type your email address.',
    'missing-password': 'Type your password.',
    'malformed-code': 'The code is six digits. Type all six.',
    'form-expired': 'The page was open too long, or was opened in another tab. Try again.',
  },

  password: {
    title: 'Sign in',
    continueTo: (client) => `to continue to ${client}`,
    confirmTitle: 'Type your password again',
    email: 'Email address',
    password: 'Password',
    forgotten: 'Forgotten your password?',
    submit: 'Sign in',
    waiting: 'Signing in …',
  },

  totp: {
    title: 'Enter the code from your app',
    help: 'Open Google Authenticator or your authenticator app and type the six digits.',
    code: 'Six digits',
    remember: 'Remember this device for 30 days',
    submit: 'Sign in',
    waiting: 'Signing in …',
    anotherWay: 'Try another way',
    newOrLost: 'New or lost phone?',
    lostMyPhone: 'Lost my phone',
    disabledTitle: 'The codes from the app are switched off',
  },

  mailedCode: {
    title: 'Enter the code from the email',
    sentTo: (email) => `We have sent a code to ${email}.`,
    why: 'No phone is connected to your account yet. The code shows that it is you who connects the first one.',
    code: 'The code in the email',
    submit: 'Continue',
    waiting: 'Checking …',
    notArrived: 'No email? Look in your spam folder, or let us send a new code.',
    again: 'Send a new code',
    sendingAgain: 'Sending …',
    sentAgain: 'A new code is on its way. The old one no longer works.',
  },

  enrollment: {
    title: 'Connect your phone',
    intro: 'Then nobody gets in with your password alone. It takes about a minute.',
    openApp: 'Open the app',
    openAppHelp: "Google Authenticator or another authenticator app. You find it in your phone's app store.",
    scan: 'Scan the code',
    scanHelp: 'Tap the plus sign in the app and point the camera here.',
    qrCode: (account) => `QR code for ${account}`,
    onThisPhone: 'Open the app on this phone',
    cannotScan: "I can't scan",
    keyHelp: 'Choose “enter a setup key” in the app and type:',
    account: 'Account',
    key: 'Key',
    kind: 'Type',
    timeBased: 'Time-based',
    type: 'Type the six digits it shows',
    submit: 'Connect the phone',
    waiting: 'Connecting …',
  },

  newRecoveryCode: {
    title: 'Save your recovery code',
    help: 'It lets you in if you lose your phone. We only show it now.',
    label: 'Your recovery code',
    withoutScript: "Select the code and copy it, or print the page from your browser's menu.",
    copy: 'Copy',
    copied: 'Copied',
    download: 'Download',
    print: 'Print',
    fileName: 'recovery-code.txt',
    keepsake: (brand) => `Recovery code for ${brand}`,
    keepsakeHelp:
      'The code lets you in once if you lose your phone. Keep it where you keep important papers.',
    issued: (date) => `Created ${date}`,
    typeBack: 'Type the last four characters',
    submit: 'I have saved the code',
    waiting: 'One moment …',
  },

  otherAccount: {
    title: 'You are already signed in',
    here: (current) => `${current} is signed in here.`,
    consequence: (current, next) =>
      `If you continue as ${next}, ${current} is signed out of all applications in this browser.`,
    switchTo: (next) => `Continue as ${next}`,
    stayAs: (current) => `Stay as ${current}`,
    waiting: 'Switching …',
  },

  consent: {
    title: (client) => `May ${client} see your details?`,
    asks: (client) => `${client} asks to:`,
    scopes: {
      openid: 'know that you are you',
      profile: 'see your name and your language',
      email: 'see your email address',
      phone: 'see your phone number',
      address: 'see your address',
      offline_access: "go on reading them when you aren't using the application",
    },
    lasts: (days) => (days === 1 ? 'Your yes lasts for one day.' : `Your yes lasts for ${days} days.`),
    untilWithdrawn: 'Your yes lasts until you withdraw it.',
    withdraw: 'You can withdraw it whenever you like under My details.',
    allow: 'Allow',
    deny: "Don't allow",
    waiting: 'One moment …',
  },

  signOut: {
    title: 'Sign out of everything here?',
    help: 'You are signed in to these applications in this browser:',
    helpWithout: 'You will be signed out of all applications in this browser.',
    submit: 'Sign out',
    waiting: 'Signing out …',
    stay: 'Stay signed in here',
  },

  signedOut: {
    title: 'You are signed out',
    everywhere: 'You can close the browser now.',
    results: 'Applications',
    outcomes: { 'signed-out': 'signed out', 'no-answer': 'did not answer' },
    noAnswerHelp: 'Open the application that did not answer and sign out there too.',
    signInAgain: 'Sign in again',
  },

  anotherWay: { title: 'Try another way' },

  recoveryCode: {
    title: 'Enter your recovery code',
    help: "The code you saved when you connected the app: XXXX-XXXX-XXXX-XXXX-XXXX. Capitals don't matter.",
    gone: 'Is the phone gone for good?',
    goneYes: 'Yes, connect a new one',
    goneNo: "No, I just don't have it here",
    noCode: "I don't have my recovery code",
  },

  myDetails: {
    title: 'My details',
    twoStep: {
      title: 'Two-step verification',
      onSince: (date) => `Two-step verification is on, since ${date}`,
      off: 'Two-step verification is off',
      offHelp: 'Right now your password alone lets you in.',
      lastUsed: (date) => `The code from the app was last used ${date}.`,
      neverUsed: 'The code from the app has not been used yet.',
      move: 'Move to a new phone',
      activate: 'Activate two-step verification',
      deactivate: 'Deactivate two-step verification',
    },
    recoveryCode: {
      title: 'Recovery code',
      issued: (date) => `Your recovery code was created ${date}`,
      none: 'You have no recovery code',
      help: 'It lets you in if you lose your phone.',
      noneHelp: 'Without it you may be locked out if you lose your phone.',
      renew: 'Create a new recovery code',
      check: 'Check that your code is right',
    },
    devices: {
      title: 'Devices we remember',
      help: 'You do not need the six digits on these.',
      none: 'We remember no device. You type the six digits every time.',
      lastUsed: (date) => `Last used ${date}`,
      until: (date) => `Lasts until ${date}`,
      thisDevice: 'This device',
      forget: 'Forget',
      forgetting: 'Forgetting …',
    },
    about: { title: 'About you', name: 'Name', email: 'Email address' },
    language: {
      title: 'Language',
      label: 'Language on pages and in emails',
      save: 'Save language',
      saving: 'Saving …',
      saved: 'The language is saved.',
    },
    signOut: {
      title: 'Sign out',
      help: 'Signs you out of all applications in this browser.',
      action: 'Sign out',
    },
  },

  problem: {
    trouble: (reference) => `Something went wrong on our side. Try again. Reference: ${reference}`,
    reference: (reference) => `Reference: ${reference}`,
    referenceHelp: 'Give this reference if you contact the help desk.',
    tryAgain: 'Try again',
    backTo: (client) => `Back to ${client}`,
    kinds: {
      trouble: { title: 'Something went wrong on our side', help: 'Try again.' },
      'not-found': {
        title: "That page doesn't exist",
        help: 'The address may be mistyped, or the page has moved.',
      },
      expired: {
        title: 'This sign-in is no longer open',
        help: 'It was open too long, or it is already finished. Go back to the application and start again.',
      },
      'bad-request': {
        title: "We didn't understand what the application asked for",
        help: 'It is nothing you did. Go back to the application and try again. If it happens again, tell whoever looks after the application.',
      },
      forbidden: {
        title: "This page isn't open to you",
        help: 'Sign in with another account, or ask whoever manages access for help.',
      },
      'no-cookies': {
        title: "Your browser isn't keeping cookies",
        help: 'We need one cookie to hold the sign-in together. Allow cookies for this site and try again.',
      },
      'too-many': { title: 'Too many attempts', help: 'Wait a little while and try again.' },
    },
  },

  devMail: {
    title: 'Emails that were not sent',
    help: 'During development only. The newest comes first.',
    none: 'No emails yet. Sign in as somebody and they end up here.',
    to: 'To',
    time: 'Time',
  },
};
