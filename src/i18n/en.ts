// Long because all words of the house stand in one place, room by room, for whoever translates them.
import { helpDeskEn } from './help-desk/en.ts';
import { clientsEn } from './clients/en.ts';
import { consoleEn } from './console/en.ts';
import { deviceFlowEn } from './device-flow/en.ts';
import { importEn } from './import/en.ts';
import { registrationEn } from './registration/en.ts';
import { resourceServersEn } from './resource-servers/en.ts';
import { ownClaimsEn } from './custom-claims/en.ts';
import { refusedRequestsEn } from './client-errors/en.ts';
import type { Phrases } from './sv.ts';

/** Seconds up to two minutes, then minutes, always upwards: nobody should come back too early. */
function waitingTime(seconds: number): string {
  if (seconds === 1) return '1 second';
  if (seconds <= 120) return `${seconds} seconds`;
  return seconds <= 7200 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`;
}

export const en: Phrases = {
  console: consoleEn,

  clients: clientsEn,

  accountsImport: importEn,

  registration: registrationEn,
  deviceFlow: deviceFlowEn.pages,
  resourceServers: resourceServersEn,
  ownClaims: ownClaimsEn,
  refusedRequests: refusedRequestsEn,

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
    signOutOthers: 'Sign out on all other devices',
  },

  refusals: {
    ...helpDeskEn.refusals,
    ...deviceFlowEn.refusals,
    ...ownClaimsEn.faults,
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
    'wrong-password-or-code':
      "That doesn't match. Check the address, the password and the code in the latest email, or send a new code.",
    'missing-mailed-code': 'Type the code from the email.',
    'just-sent': (seconds) => `We sent a code just now. You can ask for another in ${waitingTime(seconds)}.`,
    'expired-mailed-code': 'That code no longer works. Send a new one and try again.',
    'wrong-last-group': "That isn't how the code ends. Look at the last four characters and type them again.",
    'malformed-recovery-code':
      'A recovery code has twenty characters. Look at the one you saved and type all five groups.',
    'wrong-recovery-code': "That recovery code isn't right. Look at the latest one you saved and try again.",
    'password-too-short': 'That password is too short. Add some characters.',
    'password-too-long': 'That password is too long. At most 256 characters.',
    'password-too-common': 'That password is easy to guess. Choose one that only you would think of.',
    'email-taken': 'That address has an account already. Choose another one, or sign in with it.',
    'same-email': 'That is the address you sign in with already. Type another one.',
    'missing-recovery-code': 'Type your recovery code.',
    'malformed-email': "That doesn't look like an email address. Look at it and type it again.",
    'wrong-email': "That isn't the address of this account. Type it just as it stands.",
    'missing-email': 'Type your email address.',
    'missing-password': 'Type your password.',
    'malformed-code': 'The code is six digits. Type all six.',
    'missing-name': 'Type a name.',
    'has-account': 'There is an account with that address already.',
    'last-administrator':
      'This is the last administrator who looks after everybody. Make another person administrator first.',
    'no-such-group': 'That group is no longer there. Choose another.',
    'group-taken': 'There is a group with that name already.',
    'group-limits-operator': 'An administrator or help desk is limited to the group. Change that role first.',
    'group-of-application': 'An application names the group. Change the application first.',
    'wrong-group-name': "That isn't the name of the group. Type it just as it stands.",
    'unreadable-file': 'The file cannot be read.',
    'no-file': 'Choose a file first.',
    'file-too-large': 'The file is larger than 5 MB. Split it, or use the command hemma accounts import.',
    'too-many-rows': 'The file has too many rows. Split it, or use the command hemma accounts import.',
    'file-gone': 'The page was open for too long. Choose the file once more.',
    'no-such-person': 'Nobody whom you look after has that address.',
    'wrong-bootstrap-token':
      'That token does not work. A token works for a day, and once. Make a new one with the command hemma bootstrap.',
    busy: (seconds) =>
      `Just now very many people are signing in. Nothing is lost: try again in ${waitingTime(seconds)}.`,
    'form-expired': 'The page was open too long, or was opened in another tab. Try again.',
    'consent-changed':
      'What the service asks for changed while the page was open. Read it once more, then answer.',
  },

  password: {
    title: 'Sign in',
    continueTo: (client) => `to continue to ${client}`,
    newPhoneFirst: 'Your password first. Then we connect your new phone.',
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
    sentIfKnown: 'If the address has an account, a code is on its way there.',
    why: {
      enrollment:
        'No phone is connected to your account yet. The code shows that it is you who connects the first one.',
      'forgotten-password':
        'The code works for ten minutes, in this browser. Then we ask for your phone as usual.',
      'notice-email':
        'The code shows that the address is yours. It only gets notices, nobody signs in with it.',
      'new-email': 'The code shows that the address is yours. The old one works until you have typed it.',
    },
    back: 'Back to the password',
    code: 'The code in the email',
    submit: 'Continue',
    waiting: 'Checking …',
    notArrived: 'No email? Look in your spam folder, or let us send a new code.',
    again: 'Send a new code',
    sendingAgain: 'Sending …',
    sentAgain: 'A new code is on its way. The old one no longer works.',
  },

  passwordAndCode: {
    title: 'Enter your password and the code',
    why: 'There have been many attempts to sign in. Your password and the code let you in all the same. The code works for ten minutes, in this browser.',
    offer: "Don't want to wait? A code from your email and your password get you in right away.",
    send: 'Email me a code',
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

  forgottenPassword: {
    title: 'Choose a new password',
    help: 'Type your email address and we send a code there.',
    submit: 'Send the code',
    waiting: 'Sending …',
  },

  newPassword: {
    title: 'Choose a new password',
    label: 'New password',
    help: (shortest) => `At least ${shortest} characters. A few words in a row are fine.`,
    submit: 'Save the password',
    waiting: 'Saving …',
    consequence: 'You are signed out everywhere else.',
  },

  newEmail: {
    title: 'Change your email address',
    label: 'New email address',
    help: 'We send a code there. The old address is told that you changed it.',
    submit: 'Send the code',
    waiting: 'Sending …',
  },

  noticeEmail: {
    title: 'Second address for notices',
    label: 'Second email address',
    help: 'Our notices about your account go there as well. Codes never do. We send one now, so that we know the address is yours.',
    submit: 'Send the code',
    waiting: 'Sending …',
    now: (email: string) => `Notices go to ${email} as well now.`,
    remove: 'Remove that address',
  },

  deeds: {
    deactivate_two_step: 'Deactivate two-step verification',
    activate_two_step: 'Activate two-step verification',
    replace_authenticator: 'Move to a new phone',
    new_recovery_code: 'Create a new recovery code',
    check_recovery_code: 'Check your recovery code',
    change_password: 'Change your password',
    change_email: 'Change your email address',
    change_notice_email: 'Change your second address for notices',
    download_data: 'Download my data',
    delete_account: 'Delete your account',
    step_up: 'Confirm that it is you',
  },

  confirm: {
    delete_account: {
      title: 'Delete your account',
      consequence: 'Everything that belongs to the account is deleted, and it cannot be undone.',
      button: 'Delete the account',
      typeEmail: "Type the account's email address",
      goneTitle: 'Your account is deleted',
      gone: 'You are signed out everywhere.',
    },
    account: (email) => `This is about the account ${email}.`,
    decline: 'Cancel',
    deactivate_two_step: {
      title: 'Deactivate two-step verification',
      consequence:
        "The phone's codes and your saved recovery code stop working. You can activate two-step verification again right afterwards.",
      button: 'Deactivate two-step verification',
    },
    check_recovery_code: {
      title: 'Check that your code is right',
      consequence: 'Type the recovery code that you saved. It is not used up.',
      button: 'Check the code',
    },
  },

  reEnrollment: {
    title: 'Connect your new phone',
    intro: 'The old phone works until you have typed the six digits from the new one.',
    found: 'I found the old phone',
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
      groups: 'see which groups you are in',
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
    outcomes: {
      pending: 'signing out …',
      retrying: 'did not answer, trying again',
      'signed-out': 'signed out',
      'no-answer': 'did not answer',
      'by-browser': 'your browser asks it to sign out',
      'not-told': 'cannot be signed out from here',
    },
    retryingHelp: 'You need not wait. We keep trying for an hour, even if you close the page.',
    noAnswerHelp: (names: string) => `Open ${names} and sign out there too.`,
    again: 'Show how it went',
    stillTitle: 'You are still signed in here',
    stillHelp: 'Sign out from My details when you are done.',
    signInAgain: 'Sign in again',
  },

  helpDesk: { step: helpDeskEn.step, stop: helpDeskEn.stop, desk: helpDeskEn.desk },

  anotherWay: {
    title: 'Try another way',
    app: 'Enter the code from your app',
    appHelp: 'Six digits from Google Authenticator or your authenticator app.',
    recoveryCode: 'Enter a recovery code',
    recoveryCodeHelp: 'The code XXXX-XXXX-XXXX-XXXX-XXXX that you saved when you connected the app.',
  },

  recoveryCode: {
    title: 'Enter your recovery code',
    help: "The code you saved when you connected the app: XXXX-XXXX-XXXX-XXXX-XXXX. Capitals don't matter.",
    awaitedHelp: 'The code that the help desk mailed you, or the one you saved when you connected the app.',
    gone: 'Is the phone gone for good?',
    goneYes: 'Yes, connect a new one',
    goneNo: "No, I just don't have it here",
    noCode: "I don't have my recovery code",
    noCodeHelp: (contact) => `Contact ${contact} and you get help to come back in.`,
    code: 'Recovery code',
    right: 'The code is right.',
    goOn: 'Continue',
    goneHelp: 'A new phone gets a QR code of its own, and the old one no longer lets anybody in.',
    waiting: 'Checking …',
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
      issued: (date) => `You made and saved your recovery code ${date}`,
      none: 'You have no recovery code',
      help: 'It lets you in if you lose your phone.',
      noneHelp: 'Without it you may be locked out if you lose your phone.',
      checked: (date) => `You checked it ${date}.`,
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
    notices: {
      'session-ended': 'You are signed out there.',
      'others-ended': 'You are signed out everywhere else.',
      disconnected: 'The application is disconnected. If you have it open, sign out there too.',
      'nothing-changed': 'You are back. Nothing was changed.',
      'download-ready': 'You have signed in with two steps. You can download your data now.',
    },
    sessions: {
      title: 'Where you are signed in',
      thisOne: 'this browser',
      unknownDevice: 'Unknown browser',
      since: (time) => `Signed in ${time}`,
      seen: (time, address) => `Last seen ${time} from ${address}`,
      end: 'Sign out there',
      ending: 'Signing out …',
      endOthers: 'Sign out everywhere else',
    },
    applications: {
      title: 'Connected applications',
      none: 'No application is connected to your account.',
      since: (date) => `Since ${date}`,
      may: (what) => `May ${what}.`,
      ofTheHouse: (brand) =>
        `Belongs to ${brand} and does not ask. It is connected again the next time you sign in to it.`,
      disconnect: 'Disconnect',
      disconnecting: 'Disconnecting …',
    },
    events: {
      title: 'Recent events',
      help: (contact) => `Was something not you? Sign out everywhere else and contact ${contact}.`,
      what: {
        ...helpDeskEn.events,
        ...deviceFlowEn.events,
        'account.created': 'The account was created',
        'account.disabled': 'The account was closed',
        'account.enabled': 'The account was opened again',
        'account.invited': 'You were invited',
        'account.role-changed': 'Your role was changed',
        'account.two-step-required': 'Two-step verification is required since then',
        'account.language-changed': 'The language was changed',
        'account.data-downloaded': 'The data about you was downloaded',
        'password.right': 'The right password was typed',
        'password.wrong': "A password that isn't right was typed",
        'password.throttled': 'Many passwords in a row were not right: new attempts had to wait',
        'password.changed': 'The password was changed',
        'email.changed': 'The email address was changed',
        'notice-email.changed': 'The second address for notices was changed',
        'notice-email.removed': 'The second address for notices was removed',
        'totp.wrong': "Six digits that aren't right were typed",
        'totp.reused': 'Six digits that had been used were typed',
        'totp.throttled': 'Many codes in a row were not right: new attempts had to wait',
        'authenticator.connected': 'A phone was connected',
        'authenticator.replaced': 'A new phone was connected in place of the old one',
        'authenticator.disabled': 'The codes from the app were turned off after many attempts',
        'two-step.deactivated': 'Two-step verification was deactivated',
        'recovery-code.issued': 'A new recovery code was created',
        'recovery-code.right': 'The right recovery code was typed',
        'recovery-code.wrong': "A recovery code that isn't right was typed",
        'recovery-code.throttled': 'Many recovery codes in a row were not right: new attempts had to wait',
        'recovery-code.disabled': 'The recovery code was turned off after many attempts',
        'recovery-code.spent': 'The recovery code was used up',
        'recovery-code.checked': 'The recovery code was checked',
        'mailed-code.sent': 'A code was sent to your email address',
        'mailed-code.right': 'The right code from the email was typed',
        'mailed-code.wrong': "A code that isn't the one in the email was typed",
        'mail.refused':
          'An email to you was not delivered: the mail server does not take mail for the address',
        'device.remembered': 'A device was remembered',
        'device.forgotten': 'A device was forgotten',
        'sign-in.finished': 'Signed in',
        'sign-out.finished': 'Signed out',
        'session.ended': 'You were signed out in other places',
        'consent.granted': 'An application was allowed to see your details',
        'consent.refused': 'An application was not allowed to see your details',
        'token.reused': 'An application came with something already used and was disconnected',
        'grant.revoked': 'An application was disconnected',
      },
    },
    data: {
      title: 'Everything we know about you',
      help: 'A file (JSON) with your account, devices, sessions, applications, help-desk cases and events. No passwords and no codes.',
      now: 'You signed in with two steps just now, so you can take it now.',
      signInFirst: 'First you sign in with two steps again. Then you press here once more.',
      download: 'Download my data',
      fileName: 'my-details.json',
    },
    about: {
      title: 'About you',
      name: 'Name',
      email: 'Email address',
      changePassword: 'Change your password',
      changeEmail: 'Change your email address',
      noticeEmail: 'Second address for notices',
      addNoticeEmail: 'Add a second address',
      changeNoticeEmail: 'Change the second address',
    },
    deletion: {
      title: 'Delete your account',
      help: 'Everything that belongs to the account is deleted. It cannot be undone.',
      action: 'Delete your account',
    },
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
      busy: {
        title: 'Many people are signing in right now',
        help: 'Nothing is lost. Wait a moment and send it again.',
      },
      'too-many': { title: 'Too many attempts', help: 'Wait a little while and try again.' },
      'unknown-application': {
        title: "That application isn't open here",
        help: "We don't know it, or it is switched off. It is nothing you did. Tell whoever looks after the application.",
      },
      'redirect-address': {
        title: "We can't send you back to the application",
        help: "The address it gave isn't registered with us. We stopped here so that nobody else gets your sign-in. Tell whoever looks after the application.",
      },
      'request-over': {
        title: 'That link has been used already, or waited too long',
        help: 'Go back to the application and start again.',
      },
      'sign-out': {
        title: "We didn't understand how the application wanted to sign you out",
        help: 'You can sign out here instead.',
      },
    },
    signOutHere: 'Sign out here',
  },

  devMail: {
    title: 'Emails that were not sent',
    help: 'During development only. The newest comes first.',
    none: 'No emails yet. Sign in as somebody and they end up here.',
    to: 'To',
    time: 'Time',
  },
};
