import type { helpDeskSv } from './sv.ts';

const hours = (seconds: number) => {
  const count = Math.ceil(seconds / 3600);
  return count === 1 ? '1 hour' : `${count} hours`;
};
const minutes = (seconds: number) => {
  const count = Math.ceil(seconds / 60);
  return count === 1 ? '1 minute' : `${count} minutes`;
};

export const helpDeskEn: typeof helpDeskSv = {
  step: {
    title: 'Get help from the help desk',
    help: 'If you have neither the phone nor the recovery code, open a case at the help desk. We email you its number.',
    open: 'Open a case',
    opening: 'Opening …',
    number: 'Your case has the number',
    contact: (contact) => `Contact ${contact} and say the number.`,
    next: 'When the help desk knows that it is you, we send a code to your email address. The help desk cannot see it.',
    later:
      'You can close this page. When the code has come, sign in as usual and type it where you otherwise type your recovery code.',
    typeCode: 'I have the code',
  },

  stop: {
    title: 'Stop a case at the help desk',
    help: 'Type the stop code from our email. The case is then closed, and a code from the help desk no longer works.',
    code: 'Stop code',
    codeHelp: 'Sixteen characters in four groups.',
    submit: 'Stop the case',
    waiting: 'Stopping …',
    doneTitle: 'The case is stopped',
    done: 'The case is closed, and a code from the help desk no longer works. We have emailed you about it.',
    next: (contact) =>
      `If you did not open the case yourself, somebody else knows your password. Change it now, and tell the help desk: ${contact}`,
    changePassword: 'Change your password',
  },

  refusals: {
    'expired-help-desk-code':
      'The code from the help desk worked for an hour. Contact the help desk and a new one is sent.',
    'help-desk-code-needs-password':
      "The code from the help desk works only together with your password. If you don't remember it, tell the help desk.",
    'wrong-stop-code': "That isn't a stop code of ours. Look at our email and type all four groups.",
    'nothing-to-stop':
      'The case is closed already. If it was not you who asked for help, contact the help desk at once.',
    'not-there': "There is no such case, or it isn't one of those you look after.",
    'own-account': 'That is your own account. Another operator helps you.',
    'case-closed': 'The case is closed.',
    'unknown-check': 'There is no such way to make sure who somebody is.',
    'missing-note': 'Write something in the note.',
    'account-disabled': 'The account is disabled. Enable it first, if the person is to get in.',
    'address-not-verified': 'The email address is not verified, so no code can be sent there.',
    'no-checks': 'Tick how you know who the person is.',
    'no-phone-to-replace': 'No phone is connected to the account. The person connects one when signing in.',
    'approval-needed': 'Another operator has to approve this. The question has been asked.',
    'too-many-codes': 'Three codes were sent in the last 24 hours. No more are sent today.',
    'operator-limit': 'You have sent as many codes as one operator may in 24 hours.',
    'changed-recently': (seconds) =>
      `The email address or the password was changed recently. A code can be sent in ${hours(seconds)}.`,
    'code-just-sent': (seconds) => `A code was sent just now. The next can be sent in ${minutes(seconds)}.`,
    'nothing-to-approve': 'Nothing waits for approval in this case.',
    'own-request': 'You asked for it yourself. Another operator approves.',
  },

  events: {
    'help-desk.case-opened': 'A case at the help desk was opened',
    'help-desk.case-closed': 'A case at the help desk was closed',
    'help-desk.code-sent': 'The help desk sent a code to your email address',
    'help-desk.invitation-sent': 'The help desk reset the account and invited you anew',
    'help-desk.stopped': 'A case at the help desk was stopped with the code from the email',
    'help-desk-code.right': 'The right code from the help desk was typed',
    'help-desk-code.expired': 'A code from the help desk was typed too late',
    'help-desk-code.spent': 'The code from the help desk was spent',
  },

  desk: {
    title: 'Cases',
    open: 'Open cases',
    closed: 'Closed cases',
    showClosed: 'Show closed cases',
    showOpen: 'Show open cases',
    none: 'No case is waiting. If somebody calls, look the person up and open a case there.',
    noneClosed: 'No case is closed yet.',
    more: 'Show older ones',
    number: 'Number',
    person: 'Whose',
    since: 'Opened',
    state: 'State',
    heading: (number) => `Case ${number}`,
    openFor: 'Open a case',
    openForHelp: (name, email) => `For ${name}, ${email}. The person gets an email about it.`,
    openedByPerson: (address) => `The person opened the case after the right password, from ${address}`,
    openedByOperator: (who) => `${who} opened the case`,
    states: {
      waiting: 'Waiting for help',
      approval: 'Waiting for a second operator',
      approved: 'Approved, the code can be sent',
      sent: 'A code was sent and still works',
      'new-phone': 'The person has connected a new phone',
      stopped: 'The person stopped the case',
      'invited-anew': 'The person was invited anew',
      closed: 'Closed by an operator',
      'left-alone': 'Closed by itself: nothing happened for fourteen days',
    },
    factors: 'The account',
    phoneSince: (date) => `A phone has been connected since ${date}, and was last used`,
    phoneOff: "The phone's codes are switched off after many attempts",
    noPhone: 'No phone is connected',
    codeSince: (date) => `A recovery code has been saved since ${date}`,
    noCode: 'No saved recovery code works',
    signIns: 'Recent sign-ins',
    noSignIns: 'No sign-in yet.',
    checks: 'How you know who the person is',
    checksHelp: 'Tick only what you did yourself. Never go by a number that the person gives you now.',
    noneTicked: 'Nothing was ticked.',
    tick: 'Save the ticks',
    notes: 'Notes',
    noNotes: 'No notes yet.',
    note: 'New note',
    noteHelp: 'The person can read the notes among their own data.',
    addNote: 'Save the note',
    code: 'Send a code',
    codeHelp: (email) =>
      `The code goes to ${email} and nowhere else. You do not see it. It works for an hour, together with the password, and only for connecting a new phone. The saved recovery code stops working.`,
    send: 'Send the code',
    sentCodes: 'Codes sent',
    next: 'Next step',
    tickFirst: 'First tick how you know who the person is, and save the ticks. Then the code can be sent.',
    sent: (time, who) => `${time} by ${who}`,
    sentInVain: (time) => `${time} a code was not delivered: the mail server takes no mail for the address`,
    anew: 'Has the person forgotten the password, too?',
    anewHelp:
      'Then the account is reset: password, phone and recovery code stop working, and the person is invited anew by email. Another operator has to approve it.',
    askAnew: 'Ask to reset the account',
    approval: 'Approval',
    asked: {
      'send-code': (who) => `${who} wants to send a code to an account with a role.`,
      invite: (who) => `${who} wants to reset the account and invite the person anew.`,
    },
    approve: 'Approve',
    approved: (who) => `Approved by ${who}.`,
    close: 'Close the case',
    closeHelp: 'A code that was not used stops working, and the person gets an email.',
    waiting: 'One moment …',
    someone: 'An operator',
    by: (who, time) => `${who} · ${time}`,
    done: {
      opened: 'The case is open.',
      ticked: 'The ticks are saved.',
      noted: 'The note is saved.',
      sent: "The code is on its way to the person's email address.",
      asked: 'The question has been asked. Another operator can approve it.',
      approved: 'Approved.',
      closed: 'The case is closed.',
    },
  },
};
