/** Supportens ord: för den som förlorat både telefon och kod, och för den som hjälper. Den andra språkfilen har samma form. */

const hours = (seconds: number) => {
  const count = Math.ceil(seconds / 3600);
  return count === 1 ? '1 timme' : `${count} timmar`;
};
const minutes = (seconds: number) => {
  const count = Math.ceil(seconds / 60);
  return count === 1 ? '1 minut' : `${count} minuter`;
};

export const helpDeskSv = {
  step: {
    title: 'Få hjälp av supporten',
    help: 'Har du varken telefonen eller engångskoden kvar öppnar du ett ärende hos supporten. Vi mejlar dig ärendets nummer.',
    open: 'Öppna ett ärende',
    opening: 'Öppnar …',
    number: 'Ditt ärende har nummer',
    contact: (contact: string) => `Kontakta ${contact} och säg numret.`,
    next: 'När supporten vet att det är du skickar vi en kod till din e-postadress. Supporten kan inte se den.',
    later:
      'Du kan stänga den här sidan. När koden har kommit loggar du in som vanligt och skriver den där du annars skriver din engångskod.',
    typeCode: 'Jag har fått koden',
  },

  stop: {
    title: 'Stoppa ett ärende hos supporten',
    help: 'Skriv stoppkoden ur mejlet från oss. Då stängs ärendet, och en kod från supporten gäller inte längre.',
    code: 'Stoppkod',
    codeHelp: 'Sexton tecken i fyra grupper.',
    submit: 'Stoppa ärendet',
    waiting: 'Stoppar …',
    doneTitle: 'Ärendet är stoppat',
    done: 'Ärendet är stängt, och en kod från supporten gäller inte längre. Vi har mejlat dig om det.',
    next: (contact: string) =>
      `Öppnade du inte ärendet själv kan någon annan ditt lösenord. Byt det nu, och berätta för supporten: ${contact}`,
    changePassword: 'Byt lösenord',
  },

  refusals: {
    'expired-help-desk-code': 'Koden från supporten gällde i en timme. Kontakta supporten, så skickas en ny.',
    'help-desk-code-needs-password':
      'Koden från supporten gäller bara tillsammans med ditt lösenord. Minns du det inte, berätta det för supporten.',
    'wrong-stop-code': 'Stoppkoden stämmer inte. Titta på mejlet från oss och skriv alla fyra grupperna.',
    'nothing-to-stop':
      'Ärendet är redan stängt. Var det inte du som bad om hjälp, kontakta supporten genast.',
    'not-there': 'Ärendet finns inte, eller hör inte till dem du hjälper.',
    'own-account': 'Det är ditt eget konto. En annan handläggare hjälper dig.',
    'case-closed': 'Ärendet är stängt.',
    'unknown-check': 'Det sättet att kontrollera vem någon är finns inte.',
    'missing-note': 'Skriv något i anteckningen.',
    'account-disabled': 'Kontot är avstängt. Öppna det först, om personen ska in.',
    'address-not-verified': 'E-postadressen är inte bekräftad, så ingen kod kan skickas dit.',
    'no-checks': 'Kryssa för hur du vet vem personen är.',
    'no-phone-to-replace': 'Ingen telefon är kopplad till kontot. Personen kopplar en när den loggar in.',
    'approval-needed': 'En annan handläggare behöver godkänna det här. Frågan är ställd.',
    'too-many-codes': 'Tre koder har skickats det senaste dygnet. Fler skickas inte idag.',
    'operator-limit': 'Du har skickat så många koder som en handläggare får på ett dygn.',
    'changed-recently': (seconds: number) =>
      `E-postadressen eller lösenordet byttes nyligen. En kod kan skickas om ${hours(seconds)}.`,
    'code-just-sent': (seconds: number) => `En kod skickades nyss. Nästa kan skickas om ${minutes(seconds)}.`,
    'nothing-to-approve': 'Inget väntar på att godkännas i ärendet.',
    'own-request': 'Du har själv bett om det. En annan handläggare godkänner.',
  },

  events: {
    'help-desk.case-opened': 'Ett ärende hos supporten öppnades',
    'help-desk.case-closed': 'Ett ärende hos supporten stängdes',
    'help-desk.code-sent': 'Supporten skickade en kod till din e-postadress',
    'help-desk.invitation-sent': 'Supporten nollställde kontot och bjöd in dig på nytt',
    'help-desk.stopped': 'Ett ärende hos supporten stoppades med koden ur mejlet',
    'help-desk-code.right': 'Rätt kod från supporten skrevs',
    'help-desk-code.expired': 'En kod från supporten skrevs för sent',
    'help-desk-code.spent': 'Koden från supporten förbrukades',
  },

  desk: {
    title: 'Ärenden',
    open: 'Öppna ärenden',
    closed: 'Stängda ärenden',
    showClosed: 'Visa stängda ärenden',
    showOpen: 'Visa öppna ärenden',
    none: 'Inget ärende väntar. Ringer någon, sök upp personen och öppna ett ärende där.',
    noneClosed: 'Inget ärende är stängt än.',
    more: 'Visa äldre',
    number: 'Nummer',
    person: 'Vem det gäller',
    since: 'Öppnat',
    state: 'Läge',
    heading: (number: string) => `Ärende ${number}`,
    openFor: 'Öppna ett ärende',
    openForHelp: (name: string, email: string) => `För ${name}, ${email}. Personen får ett mejl om det.`,
    openedByPerson: (address: string) => `Personen öppnade ärendet efter rätt lösenord, från ${address}`,
    openedByOperator: (who: string) => `${who} öppnade ärendet`,
    states: {
      waiting: 'Väntar på hjälp',
      approval: 'Väntar på en andra handläggare',
      approved: 'Godkänt, koden kan skickas',
      sent: 'En kod är skickad och gäller än',
      'new-phone': 'Personen har kopplat en ny telefon',
      stopped: 'Personen stoppade ärendet',
      'invited-anew': 'Personen är inbjuden på nytt',
      closed: 'Stängt av en handläggare',
      'left-alone': 'Stängdes av sig självt: inget hände på fjorton dagar',
    },
    factors: 'Kontot',
    phoneSince: (date: string) => `En telefon är kopplad sedan ${date}, och användes senast`,
    phoneOff: 'Telefonens koder är avstängda efter många försök',
    noPhone: 'Ingen telefon är kopplad',
    codeSince: (date: string) => `En engångskod är sparad sedan ${date}`,
    noCode: 'Ingen sparad engångskod gäller',
    signIns: 'Senaste inloggningar',
    noSignIns: 'Ingen inloggning än.',
    checks: 'Så vet du vem personen är',
    checksHelp: 'Kryssa bara för det du själv har gjort. Gå aldrig efter ett nummer som personen ger dig nu.',
    noneTicked: 'Inget kryssades för.',
    tick: 'Spara kryssen',
    notes: 'Anteckningar',
    noNotes: 'Inga anteckningar än.',
    note: 'Ny anteckning',
    noteHelp: 'Personen kan läsa anteckningarna bland sina uppgifter.',
    addNote: 'Spara anteckningen',
    code: 'Skicka en kod',
    codeHelp: (email: string) =>
      `Koden går till ${email} och ingen annanstans. Du ser den inte. Den gäller i en timme, tillsammans med lösenordet, och bara för att koppla en ny telefon. Den sparade engångskoden slutar gälla.`,
    send: 'Skicka koden',
    sentCodes: 'Skickade koder',
    next: 'Nästa steg',
    tickFirst: 'Kryssa först för hur du vet vem personen är, och spara kryssen. Sedan kan koden skickas.',
    sent: (time: string, who: string) => `${time} av ${who}`,
    sentInVain: (time: string) =>
      `${time} kom en kod inte fram: e-postservern tar inte emot mejl till adressen`,
    anew: 'Har personen glömt lösenordet också?',
    anewHelp:
      'Då nollställs kontot: lösenord, telefon och engångskod slutar gälla, och personen bjuds in på nytt med ett mejl. En annan handläggare måste godkänna det.',
    askAnew: 'Be om att få nollställa kontot',
    approval: 'Godkännande',
    asked: {
      'send-code': (who: string) => `${who} vill skicka en kod till ett konto med särskild roll.`,
      invite: (who: string) => `${who} vill nollställa kontot och bjuda in personen på nytt.`,
    },
    approve: 'Godkänn',
    approved: (who: string) => `Godkänt av ${who}.`,
    close: 'Stäng ärendet',
    closeHelp: 'En kod som inte är använd slutar gälla, och personen får ett mejl.',
    waiting: 'Ett ögonblick …',
    someone: 'En handläggare',
    by: (who: string, time: string) => `${who}, ${time}`,
    done: {
      opened: 'Ärendet är öppnat.',
      ticked: 'Kryssen är sparade.',
      noted: 'Anteckningen är sparad.',
      sent: 'Koden är på väg till personens e-postadress.',
      asked: 'Frågan är ställd. En annan handläggare kan godkänna den.',
      approved: 'Godkänt.',
      closed: 'Ärendet är stängt.',
    },
  },
};
