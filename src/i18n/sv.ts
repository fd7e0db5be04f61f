// Long because all words of the house stand in one place, room by room, for whoever translates them.
import { helpDeskSv } from './help-desk/sv.ts';
import { clientsSv } from './clients/sv.ts';
import { consoleSv } from './console/sv.ts';
import { deviceFlowSv } from './device-flow/sv.ts';
import { importSv } from './import/sv.ts';
import { registrationSv } from './registration/sv.ts';
import { resourceServersSv } from './resource-servers/sv.ts';
import { ownClaimsSv } from './custom-claims/sv.ts';
import { refusedRequestsSv } from './client-errors/sv.ts';

/** Under två minuter räknar man sekunder, därefter minuter och timmar, alltid uppåt: ingen ska komma tillbaka för tidigt. */
function waitingTime(seconds: number): string {
  if (seconds === 1) return '1 sekund';
  if (seconds <= 120) return `${seconds} sekunder`;
  return seconds <= 7200 ? `${Math.ceil(seconds / 60)} minuter` : `${Math.ceil(seconds / 3600)} timmar`;
}

export const sv = {
  console: consoleSv,

  clients: clientsSv,

  accountsImport: importSv,

  registration: registrationSv,
  deviceFlow: deviceFlowSv.pages,
  resourceServers: resourceServersSv,
  ownClaims: ownClaimsSv,
  refusedRequests: refusedRequestsSv,

  page: {
    /** Stands on the pages of the other languages, so it is written in its own. */
    inThisLanguage: 'På svenska',
    languageName: 'Svenska',
    myDetails: 'Mina uppgifter',
    signOut: 'Logga ut',
    done: (client: string) => `Klart. Du är på väg till ${client}.`,
    theApplication: 'tjänsten du kom från',
  },

  form: {
    show: 'Visa',
    hide: 'Dölj',
    thePassword: 'lösenordet',
    goOn: 'Fortsätt',
    waiting: 'Ett ögonblick …',
    signingInAs: (email: string) => `Du loggar in som ${email}`,
    signOutOthers: 'Logga ut på alla andra enheter',
  },

  refusals: {
    ...helpDeskSv.refusals,
    ...deviceFlowSv.refusals,
    ...ownClaimsSv.faults,
    'wrong-password': 'E-postadressen eller lösenordet stämmer inte.',
    'wrong-code': 'Koden stämmer inte. Vänta på nästa kod och försök igen.',
    'used-code': 'Den koden är redan använd. Vänta på nästa, högst 30 sekunder.',
    'clock-behind': (seconds: number) =>
      `Klockan i din telefon verkar gå ${seconds} sekunder efter. Ställ in automatisk tid och försök igen.`,
    'clock-ahead': (seconds: number) =>
      `Klockan i din telefon verkar gå ${seconds} sekunder före. Ställ in automatisk tid och försök igen.`,
    throttled: (seconds: number) => `För många försök. Försök igen om ${waitingTime(seconds)}.`,
    'authenticator-disabled': (contact: string) =>
      `Många koder i rad stämde inte. För att skydda ditt konto har vi stängt av koderna från appen. Kontakta supporten: ${contact}`,
    'enrollment-expired':
      'QR-koden visades för mer än tio minuter sedan. Här är en ny. Skanna den och försök igen.',
    'wrong-mailed-code': 'Koden stämmer inte. Läs den i det senaste mejlet från oss och försök igen.',
    'wrong-password-or-code':
      'Det stämmer inte. Kontrollera adressen, lösenordet och koden i det senaste mejlet, eller be om en ny kod.',
    'missing-mailed-code': 'Skriv koden från mejlet.',
    'just-sent': (seconds: number) =>
      `Vi skickade nyss en kod. Du kan be om en ny om ${waitingTime(seconds)}.`,
    'expired-mailed-code': 'Den koden gäller inte längre. Skicka en ny och försök igen.',
    'wrong-last-group':
      'Tecknen stämmer inte med slutet på koden. Titta på de fyra sista och skriv dem igen.',
    'malformed-recovery-code':
      'En engångskod har tjugo tecken. Titta på den du sparade och skriv alla fem grupperna.',
    'wrong-recovery-code': 'Engångskoden stämmer inte. Titta på den senaste du sparade och försök igen.',
    'password-too-short': 'Lösenordet är för kort. Lägg till några tecken.',
    'password-too-long': 'Lösenordet är för långt. Högst 256 tecken.',
    'password-too-common': 'Det lösenordet är lätt att gissa. Välj ett som bara du skulle komma på.',
    'email-taken': 'Den adressen har redan ett konto. Välj en annan, eller logga in med den.',
    'same-email': 'Det är adressen som du redan loggar in med. Skriv en annan.',
    'missing-recovery-code': 'Skriv din engångskod.',
    'malformed-email': 'Det ser inte ut som en e-postadress. Titta på den och skriv igen.',
    'wrong-email': 'Adressen stämmer inte med kontots. Skriv den precis som den står.',
    'missing-email': 'Skriv din e-postadress.',
    'missing-password': 'Skriv ditt lösenord.',
    'malformed-code': 'Koden är sex siffror. Skriv alla sex.',
    'missing-name': 'Skriv ett namn.',
    'has-account': 'Det finns redan ett konto med den adressen.',
    'last-administrator':
      'Det här är den sista administratören som sköter alla. Gör en annan person till administratör först.',
    'no-such-group': 'Den gruppen finns inte längre. Välj en annan.',
    'group-taken': 'Det finns redan en grupp med det namnet.',
    'group-limits-operator':
      'En administratör eller support är begränsad till gruppen. Ändra den rollen först.',
    'group-of-application': 'En applikation nämner gruppen. Ändra applikationen först.',
    'wrong-group-name': 'Namnet stämmer inte med gruppens. Skriv det precis som det står.',
    'unreadable-file': 'Filen går inte att läsa.',
    'no-file': 'Välj en fil först.',
    'file-too-large': 'Filen är större än 5 MB. Dela den, eller använd kommandot hemma accounts import.',
    'too-many-rows': 'Filen har för många rader. Dela den, eller använd kommandot hemma accounts import.',
    'file-gone': 'Sidan var öppen för länge. Välj filen en gång till.',
    'no-such-person': 'Ingen som du sköter har den adressen.',
    'wrong-bootstrap-token':
      'Engångsnyckeln gäller inte. Den gäller ett dygn och en gång. Gör en ny med kommandot hemma bootstrap.',
    busy: (seconds: number) =>
      `Just nu är det väldigt många som loggar in. Inget har gått förlorat: försök igen om ${waitingTime(seconds)}.`,
    'form-expired': 'Sidan var öppen för länge eller öppnades i en annan flik. Försök igen.',
    'consent-changed':
      'Det som tjänsten ber om ändrades medan sidan var öppen. Läs en gång till och svara sedan.',
  },

  password: {
    title: 'Logga in',
    continueTo: (client: string) => `för att fortsätta till ${client}`,
    newPhoneFirst: 'Lösenordet först. Sedan kopplar vi din nya telefon.',
    confirmTitle: 'Skriv ditt lösenord igen',
    email: 'E-postadress',
    password: 'Lösenord',
    forgotten: 'Glömt lösenordet?',
    submit: 'Logga in',
    waiting: 'Loggar in …',
  },

  totp: {
    title: 'Skriv koden från din app',
    help: 'Öppna Google Authenticator eller din autentiseringsapp och skriv de sex siffrorna.',
    code: 'Sex siffror',
    remember: 'Kom ihåg den här enheten i 30 dagar',
    submit: 'Logga in',
    waiting: 'Loggar in …',
    anotherWay: 'Prova ett annat sätt',
    newOrLost: 'Ny eller förlorad telefon?',
    lostMyPhone: 'Förlorat min telefon',
    disabledTitle: 'Koderna från appen är avstängda',
  },

  mailedCode: {
    title: 'Skriv koden från mejlet',
    sentTo: (email: string) => `Vi har skickat en kod till ${email}.`,
    sentIfKnown: 'Om adressen har ett konto är en kod på väg dit.',
    why: {
      enrollment:
        'Ingen telefon är kopplad till ditt konto än. Koden visar att det är du som kopplar den första.',
      'forgotten-password':
        'Koden gäller i tio minuter, i den här webbläsaren. Sedan frågar vi efter telefonen som vanligt.',
      'notice-email': 'Koden visar att adressen är din. Den får bara meddelanden, ingen loggar in med den.',
      'new-email': 'Koden visar att adressen är din. Den gamla gäller tills du har skrivit den.',
    },
    back: 'Tillbaka till lösenordet',
    code: 'Koden i mejlet',
    submit: 'Fortsätt',
    waiting: 'Kontrollerar …',
    notArrived: 'Har inget mejl kommit? Titta i skräpposten, eller låt oss skicka en ny kod.',
    again: 'Skicka en ny kod',
    sendingAgain: 'Skickar …',
    sentAgain: 'En ny kod är på väg. Den gamla gäller inte längre.',
  },

  passwordAndCode: {
    title: 'Skriv lösenordet och koden',
    why: 'Det har varit många försök att logga in. Med ditt lösenord och koden kommer du in ändå. Koden gäller i tio minuter, i den här webbläsaren.',
    offer:
      'Vill du inte vänta? Med en kod som vi mejlar dig, tillsammans med ditt lösenord, kommer du in direkt.',
    send: 'Mejla mig en kod',
  },

  enrollment: {
    title: 'Koppla din telefon',
    intro: 'Då räcker det inte att någon kommer över ditt lösenord. Det tar ungefär en minut.',
    openApp: 'Öppna appen',
    openAppHelp: 'Google Authenticator eller en annan autentiseringsapp. Den finns i telefonens appbutik.',
    scan: 'Skanna koden',
    scanHelp: 'Tryck på plus i appen och rikta kameran hit.',
    qrCode: (account: string) => `QR-kod för ${account}`,
    onThisPhone: 'Öppna appen på den här telefonen',
    cannotScan: 'Jag kan inte skanna',
    keyHelp: 'Välj ”ange nyckel” i appen och skriv:',
    account: 'Konto',
    key: 'Nyckel',
    kind: 'Typ',
    timeBased: 'Tidsbaserad',
    type: 'Skriv de sex siffrorna som appen visar',
    submit: 'Koppla telefonen',
    waiting: 'Kopplar …',
  },

  forgottenPassword: {
    title: 'Välj ett nytt lösenord',
    help: 'Skriv din e-postadress, så skickar vi en kod dit.',
    submit: 'Skicka koden',
    waiting: 'Skickar …',
  },

  newPassword: {
    title: 'Välj ett nytt lösenord',
    label: 'Nytt lösenord',
    help: (shortest: number) => `Minst ${shortest} tecken. Några ord i rad går bra.`,
    submit: 'Spara lösenordet',
    waiting: 'Sparar …',
    consequence: 'Du loggas ut överallt annars.',
  },

  newEmail: {
    title: 'Byt e-postadress',
    label: 'Ny e-postadress',
    help: 'Vi skickar en kod dit. Den gamla adressen får veta att du bytte.',
    submit: 'Skicka koden',
    waiting: 'Skickar …',
  },

  noticeEmail: {
    title: 'Extra adress för meddelanden',
    label: 'Extra e-postadress',
    help: 'Dit går också våra meddelanden om ditt konto. Koder går aldrig dit. Vi skickar en kod nu, så att vi vet att adressen är din.',
    submit: 'Skicka koden',
    waiting: 'Skickar …',
    now: (email: string) => `Nu går meddelanden också till ${email}.`,
    remove: 'Ta bort den adressen',
  },

  deeds: {
    deactivate_two_step: 'Inaktivera tvåstegsverifiering',
    activate_two_step: 'Aktivera tvåstegsverifiering',
    replace_authenticator: 'Flytta till en ny telefon',
    new_recovery_code: 'Skapa en ny engångskod',
    check_recovery_code: 'Kontrollera din engångskod',
    change_password: 'Byt lösenord',
    change_email: 'Byt e-postadress',
    change_notice_email: 'Ändra extra adress för meddelanden',
    download_data: 'Ladda ner mina uppgifter',
    delete_account: 'Ta bort ditt konto',
    step_up: 'Bekräfta att det är du',
  },

  confirm: {
    delete_account: {
      title: 'Ta bort ditt konto',
      consequence: 'Allt som hör till kontot tas bort, och det går inte att ångra.',
      button: 'Ta bort kontot',
      typeEmail: 'Skriv kontots e-postadress',
      goneTitle: 'Ditt konto är borttaget',
      gone: 'Du är utloggad överallt.',
    },
    account: (email: string) => `Det gäller kontot ${email}.`,
    decline: 'Avbryt',
    deactivate_two_step: {
      title: 'Inaktivera tvåstegsverifiering',
      consequence:
        'Telefonens koder och din sparade engångskod slutar gälla. Du kan aktivera tvåstegsverifieringen igen direkt efteråt.',
      button: 'Inaktivera tvåstegsverifiering',
    },
    check_recovery_code: {
      title: 'Kontrollera att din kod stämmer',
      consequence: 'Skriv engångskoden som du har sparat. Den förbrukas inte.',
      button: 'Kontrollera koden',
    },
  },

  reEnrollment: {
    title: 'Koppla din nya telefon',
    intro: 'Den gamla telefonen fungerar tills du har skrivit de sex siffrorna från den nya.',
    found: 'Jag hittade den gamla telefonen',
  },

  newRecoveryCode: {
    title: 'Spara din engångskod',
    help: 'Den släpper in dig om telefonen försvinner. Vi visar den bara nu.',
    label: 'Din engångskod',
    withoutScript: 'Markera koden och kopiera den, eller skriv ut sidan från webbläsarens meny.',
    copy: 'Kopiera',
    copied: 'Kopierad',
    download: 'Ladda ner',
    print: 'Skriv ut',
    fileName: 'engangskod.txt',
    keepsake: (brand: string) => `Engångskod till ${brand}`,
    keepsakeHelp:
      'Koden släpper in dig en gång om telefonen försvinner. Förvara den där du har viktiga papper.',
    issued: (date: string) => `Skapad ${date}`,
    typeBack: 'Skriv de fyra sista tecknen',
    submit: 'Jag har sparat koden',
    waiting: 'Ett ögonblick …',
  },

  otherAccount: {
    title: 'Du är redan inloggad',
    here: (current: string) => `Här är ${current} inloggad.`,
    consequence: (current: string, next: string) =>
      `Om du fortsätter som ${next} loggas ${current} ut från alla tjänster i den här webbläsaren.`,
    switchTo: (next: string) => `Fortsätt som ${next}`,
    stayAs: (current: string) => `Stanna som ${current}`,
    waiting: 'Byter …',
  },

  consent: {
    title: (client: string) => `Får ${client} se dina uppgifter?`,
    asks: (client: string) => `${client} ber om att få:`,
    scopes: {
      openid: 'veta att du är du',
      profile: 'se ditt namn och ditt språk',
      email: 'se din e-postadress',
      groups: 'se vilka grupper du är med i',
      phone: 'se ditt telefonnummer',
      address: 'se din adress',
      offline_access: 'fortsätta läsa uppgifterna när du inte använder tjänsten',
    },
    lasts: (days: number) => (days === 1 ? 'Ditt ja gäller i en dag.' : `Ditt ja gäller i ${days} dagar.`),
    untilWithdrawn: 'Ditt ja gäller tills du tar tillbaka det.',
    withdraw: 'Du kan ta tillbaka det när du vill under Mina uppgifter.',
    allow: 'Tillåt',
    deny: 'Tillåt inte',
    waiting: 'Ett ögonblick …',
  },

  signOut: {
    title: 'Logga ut från allt här?',
    help: 'Du är inloggad i de här tjänsterna i den här webbläsaren:',
    helpWithout: 'Du loggas ut från alla tjänster i den här webbläsaren.',
    submit: 'Logga ut',
    waiting: 'Loggar ut …',
    stay: 'Fortsätt vara inloggad här',
  },

  signedOut: {
    title: 'Du är utloggad',
    everywhere: 'Du kan stänga webbläsaren nu.',
    results: 'Tjänster',
    outcomes: {
      pending: 'loggas ut …',
      retrying: 'svarade inte, försöker igen',
      'signed-out': 'utloggad',
      'no-answer': 'svarade inte',
      'by-browser': 'din webbläsare ber den logga ut',
      'not-told': 'kan inte loggas ut härifrån',
    },
    retryingHelp: 'Du behöver inte vänta. Vi försöker i en timme, även om du stänger sidan.',
    noAnswerHelp: (names: string) => `Öppna ${names} och logga ut där också.`,
    again: 'Visa hur det har gått',
    stillTitle: 'Du är fortfarande inloggad här',
    stillHelp: 'Logga ut från Mina uppgifter när du är klar.',
    signInAgain: 'Logga in igen',
  },

  helpDesk: { step: helpDeskSv.step, stop: helpDeskSv.stop, desk: helpDeskSv.desk },

  anotherWay: {
    title: 'Prova ett annat sätt',
    app: 'Skriv koden från appen',
    appHelp: 'Sex siffror ur Google Authenticator eller din autentiseringsapp.',
    recoveryCode: 'Skriv in en engångskod',
    recoveryCodeHelp: 'Koden XXXX-XXXX-XXXX-XXXX-XXXX som du sparade när du kopplade appen.',
  },

  recoveryCode: {
    title: 'Skriv din engångskod',
    help: 'Koden du sparade när du kopplade appen: XXXX-XXXX-XXXX-XXXX-XXXX. Stora eller små bokstäver spelar ingen roll.',
    awaitedHelp: 'Koden som supporten mejlade dig, eller den som du sparade när du kopplade appen.',
    gone: 'Är telefonen borta för gott?',
    goneYes: 'Ja, koppla en ny',
    goneNo: 'Nej, jag har den bara inte här',
    noCode: 'Jag har inte kvar min engångskod',
    noCodeHelp: (contact: string) => `Kontakta ${contact}, så får du hjälp att komma in igen.`,
    code: 'Engångskod',
    right: 'Koden stämmer.',
    goOn: 'Fortsätt',
    goneHelp: 'En ny telefon får en egen QR-kod, och den gamla släpper inte längre in någon.',
    waiting: 'Kontrollerar …',
  },

  myDetails: {
    title: 'Mina uppgifter',
    twoStep: {
      title: 'Tvåstegsverifiering',
      onSince: (date: string) => `Tvåstegsverifiering är på, sedan ${date}`,
      off: 'Tvåstegsverifiering är av',
      offHelp: 'Just nu räcker ditt lösenord för att komma in.',
      lastUsed: (date: string) => `Koden från appen användes senast ${date}.`,
      neverUsed: 'Koden från appen har inte använts än.',
      move: 'Flytta till en ny telefon',
      activate: 'Aktivera tvåstegsverifiering',
      deactivate: 'Inaktivera tvåstegsverifiering',
    },
    recoveryCode: {
      title: 'Engångskod',
      issued: (date: string) => `Du skapade och sparade din engångskod ${date}`,
      none: 'Du har ingen engångskod',
      help: 'Den släpper in dig om telefonen försvinner.',
      noneHelp: 'Utan den kan du bli utelåst om telefonen försvinner.',
      checked: (date: string) => `Du kontrollerade den ${date}.`,
      renew: 'Skapa en ny engångskod',
      check: 'Kontrollera att din kod stämmer',
    },
    devices: {
      title: 'Enheter vi kommer ihåg',
      help: 'Här behöver du inte skriva de sex siffrorna.',
      none: 'Vi kommer inte ihåg någon enhet. Du skriver de sex siffrorna varje gång.',
      lastUsed: (date: string) => `Användes senast ${date}`,
      until: (date: string) => `Gäller till ${date}`,
      thisDevice: 'Den här enheten',
      forget: 'Glöm',
      forgetting: 'Glömmer …',
    },
    notices: {
      'session-ended': 'Du är utloggad där.',
      'others-ended': 'Du är utloggad överallt annars.',
      disconnected: 'Tjänsten är frånkopplad. Har du den öppen, logga ut där också.',
      'nothing-changed': 'Du är tillbaka. Inget ändrades.',
      'download-ready': 'Du har loggat in i två steg. Nu kan du ladda ner dina uppgifter.',
    },
    sessions: {
      title: 'Här är du inloggad',
      thisOne: 'den här webbläsaren',
      unknownDevice: 'Okänd webbläsare',
      since: (time: string) => `Inloggad ${time}`,
      seen: (time: string, address: string) => `Senast sedd ${time} från ${address}`,
      end: 'Logga ut där',
      ending: 'Loggar ut …',
      endOthers: 'Logga ut överallt annars',
    },
    applications: {
      title: 'Kopplade tjänster',
      none: 'Ingen tjänst är kopplad till ditt konto.',
      since: (date: string) => `Sedan ${date}`,
      may: (what: string) => `Får ${what}.`,
      ofTheHouse: (brand: string) =>
        `Hör till ${brand} och frågar inte. Den kopplas igen nästa gång du loggar in i den.`,
      disconnect: 'Koppla från',
      disconnecting: 'Kopplar från …',
    },
    events: {
      title: 'Senaste händelser',
      help: (contact: string) => `Var något inte du? Logga ut överallt annars och kontakta ${contact}.`,
      what: {
        ...helpDeskSv.events,
        ...deviceFlowSv.events,
        'account.created': 'Kontot skapades',
        'account.disabled': 'Kontot stängdes av',
        'account.enabled': 'Kontot öppnades igen',
        'account.invited': 'Du bjöds in',
        'account.role-changed': 'Din roll ändrades',
        'account.two-step-required': 'Tvåstegsverifiering krävs sedan dess',
        'account.language-changed': 'Språket ändrades',
        'account.data-downloaded': 'Uppgifterna om dig laddades ner',
        'password.right': 'Rätt lösenord skrevs',
        'password.wrong': 'Ett lösenord som inte stämmer skrevs',
        'password.throttled': 'Många lösenord i rad stämde inte: nya försök fick vänta',
        'password.changed': 'Lösenordet ändrades',
        'email.changed': 'E-postadressen ändrades',
        'notice-email.changed': 'Extra adress för meddelanden ändrades',
        'notice-email.removed': 'Extra adress för meddelanden togs bort',
        'totp.wrong': 'Sex siffror som inte stämmer skrevs',
        'totp.reused': 'Sex siffror som redan var använda skrevs',
        'totp.throttled': 'Många koder i rad stämde inte: nya försök fick vänta',
        'authenticator.connected': 'En telefon kopplades',
        'authenticator.replaced': 'En ny telefon kopplades i stället för den gamla',
        'authenticator.disabled': 'Koderna från appen stängdes av efter många försök',
        'two-step.deactivated': 'Tvåstegsverifieringen inaktiverades',
        'recovery-code.issued': 'En ny engångskod skapades',
        'recovery-code.right': 'Rätt engångskod skrevs',
        'recovery-code.wrong': 'En engångskod som inte stämmer skrevs',
        'recovery-code.throttled': 'Många engångskoder i rad stämde inte: nya försök fick vänta',
        'recovery-code.disabled': 'Engångskoden stängdes av efter många försök',
        'recovery-code.spent': 'Engångskoden förbrukades',
        'recovery-code.checked': 'Engångskoden kontrollerades',
        'mailed-code.sent': 'En kod skickades till din e-postadress',
        'mailed-code.right': 'Rätt kod från mejlet skrevs',
        'mailed-code.wrong': 'En kod som inte stämmer med mejlet skrevs',
        'mail.refused': 'Ett mejl till dig gick inte fram: e-postservern tar inte emot mejl till adressen',
        'device.remembered': 'En enhet blev ihågkommen',
        'device.forgotten': 'En enhet glömdes',
        'sign-in.finished': 'Inloggning',
        'sign-out.finished': 'Utloggning',
        'session.ended': 'Du loggades ut på andra ställen',
        'consent.granted': 'En tjänst fick lov att se uppgifter om dig',
        'consent.refused': 'En tjänst fick inte lov att se uppgifter om dig',
        'token.reused': 'En tjänst kom med något redan använt och kopplades från',
        'grant.revoked': 'En tjänst kopplades från',
      },
    },
    data: {
      title: 'Allt vi vet om dig',
      help: 'En fil (JSON) med ditt konto, dina enheter, inloggningar, tjänster, ärenden hos supporten och händelser. Inga lösenord och inga koder.',
      now: 'Du loggade in i två steg nyss, så du kan hämta den nu.',
      signInFirst: 'Först loggar du in i två steg igen. Sedan trycker du här en gång till.',
      download: 'Ladda ner mina uppgifter',
      fileName: 'mina-uppgifter.json',
    },
    about: {
      title: 'Om dig',
      name: 'Namn',
      email: 'E-postadress',
      changePassword: 'Byt lösenord',
      changeEmail: 'Byt e-postadress',
      noticeEmail: 'Extra adress för meddelanden',
      addNoticeEmail: 'Lägg till en extra adress',
      changeNoticeEmail: 'Ändra den extra adressen',
    },
    deletion: {
      title: 'Ta bort ditt konto',
      help: 'Allt som hör till kontot tas bort. Det går inte att ångra.',
      action: 'Ta bort ditt konto',
    },
    language: {
      title: 'Språk',
      label: 'Språk på sidor och i mejl',
      save: 'Spara språk',
      saving: 'Sparar …',
      saved: 'Språket är sparat.',
    },
    signOut: {
      title: 'Logga ut',
      help: 'Loggar ut dig från alla tjänster i den här webbläsaren.',
      action: 'Logga ut',
    },
  },

  problem: {
    /** For answers without a page: JSON, plain text, the log of a relying application. */
    trouble: (reference: string) => `Något gick fel hos oss. Försök igen. Nummer: ${reference}`,
    reference: (reference: string) => `Nummer: ${reference}`,
    referenceHelp: 'Säg numret om du kontaktar supporten.',
    backTo: (client: string) => `Tillbaka till ${client}`,
    kinds: {
      trouble: { title: 'Något gick fel hos oss', help: 'Försök igen.' },
      'not-found': {
        title: 'Sidan finns inte',
        help: 'Adressen kan vara felskriven, eller så har sidan flyttat.',
      },
      expired: {
        title: 'Den här inloggningen är inte öppen längre',
        help: 'Den var öppen för länge, eller så är den redan klar. Gå tillbaka till tjänsten och börja om.',
      },
      'bad-request': {
        title: 'Vi förstod inte vad tjänsten bad om',
        help: 'Det beror inte på dig. Gå tillbaka till tjänsten och försök igen. Händer det igen, berätta det för den som sköter tjänsten.',
      },
      forbidden: {
        title: 'Den här sidan är inte öppen för dig',
        help: 'Logga in med ett annat konto, eller be den som sköter behörigheter om hjälp.',
      },
      'no-cookies': {
        title: 'Webbläsaren sparar inga kakor',
        help: 'Vi behöver en kaka för att hålla ihop inloggningen. Tillåt kakor för den här sidan och försök igen.',
      },
      busy: {
        title: 'Många loggar in just nu',
        help: 'Inget har gått förlorat. Vänta en liten stund och skicka igen.',
      },
      'too-many': { title: 'För många försök', help: 'Vänta en stund och försök igen.' },
      'unknown-application': {
        title: 'Tjänsten är inte öppen här',
        help: 'Vi känner inte till den, eller så är den avstängd. Det beror inte på dig. Berätta det för den som sköter tjänsten.',
      },
      'redirect-address': {
        title: 'Vi kan inte skicka dig tillbaka till tjänsten',
        help: 'Adressen som den gav är inte registrerad hos oss. Vi stannade här så att ingen annan får din inloggning. Berätta det för den som sköter tjänsten.',
      },
      'request-over': {
        title: 'Den här länken har redan använts, eller väntat för länge',
        help: 'Gå tillbaka till tjänsten och börja om.',
      },
      'sign-out': {
        title: 'Vi förstod inte hur tjänsten ville logga ut dig',
        help: 'Du kan logga ut här i stället.',
      },
    },
    signOutHere: 'Logga ut här',
  },

  devMail: {
    title: 'Mejl som inte skickades',
    help: 'Bara under utveckling. Det nyaste står först.',
    none: 'Inga mejl än. Logga in som någon, så kommer de hit.',
    to: 'Till',
    time: 'Tid',
  },
};

/** Swedish is the first language of the house: its phrases are the type of all others. */
export type Phrases = typeof sv;
