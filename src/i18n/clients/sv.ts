// Long because all words of the applications' pages stand in one place for whoever translates them.
import { resourceServersSv } from '../resource-servers/sv.ts';

/** Applikationernas ord. Den andra språkfilen har samma form. */
export const clientsSv = {
  title: 'Applikationer',
  none: 'Här finns inga applikationer än. Börja med den som dina användare ska logga in i.',
  create: 'Ny applikation',
  live: (count: number) => (count === 1 ? '1 hemlighet' : `${count} hemligheter`),
  columns: { name: 'Namn', id: 'Klient-id', type: 'Slag', state: 'Läge', managed: 'Sköts i' },
  states: { on: 'På', off: 'Avstängd' },
  managed: { file: 'en fil', console: 'administrationen' },
  fileHelp:
    'Den här applikationen sköts i en fil (hemma clients apply). Här kan du läsa den, stänga av den och sköta dess hemligheter. Ändra den i filen.',
  disabledHelp: 'Applikationen är avstängd: ingen kan logga in i den och dess nycklar gäller inte.',
  waiting: 'Ett ögonblick …',
  cancel: 'Avbryt',
  copy: 'Kopiera',
  copied: 'Kopierat',
  yes: 'Ja',
  no: 'Nej',
  notSet: 'Inte satt',
  seconds: (count: number) => `${count} sekunder`,

  types: {
    web: {
      name: 'Webbapplikation',
      help: 'Körs på en server som kan hålla en hemlighet: Spring, .NET, Django, Rails, Next.js.',
    },
    'single-page': {
      name: 'Enkelsidig applikation',
      help: 'Körs helt i webbläsaren: React, Vue, Angular. Har ingen hemlighet; PKCE skyddar inloggningen.',
    },
    native: {
      name: 'Mobil- eller datorprogram',
      help: 'Installeras på en telefon eller dator. Har ingen hemlighet; kommer tillbaka till en egen adress.',
    },
    service: {
      name: 'Tjänst utan människor',
      help: 'Ett program som hämtar en nyckel för egen del. Ingen loggar in i det.',
    },
  },

  form: {
    chooseTitle: 'Vilket slags applikation?',
    chooseHelp: 'Slaget väljer säkra grundvärden. Det kan inte ändras efteråt.',
    newTitle: (type: string) => `Ny: ${type}`,
    editTitle: (name: string) => `Ändra ${name}`,
    submitNew: 'Skapa applikationen',
    submit: 'Spara ändringarna',
    onePerLine: 'En adress på varje rad.',
    byDefault: (seconds: number) => `Sekunder. Tomt: ${seconds}.`,
    range: (least: number, most: number) => `Från ${least} till ${most}.`,
    faultsTitle: 'Det här behöver ändras:',
    groups: {
      about: 'Om applikationen',
      addresses: 'Adresser',
      proof: 'Hur den bevisar vem den är',
      sees: 'Vad den får veta',
      people: 'Vilka som får använda den',
      lifetimes: 'Hur länge saker gäller',
      extra: 'Övrigt',
      api: 'Gränssnitt för program',
    },
    noGroups: 'Det finns inga grupper än. Alla får använda applikationen.',
    algByKeys: 'Enligt nycklarna',
    anyAcr: 'Det som applikationen ber om',
    everybody: 'Alla',
    alwaysTwoStep: 'Alltid två steg',
  },

  fields: {
    id: { label: 'Klient-id', help: 'Små bokstäver, siffror och bindestreck. Kan inte ändras.' },
    name: { label: 'Namn', help: 'Det ser den som loggar in.' },
    description: { label: 'Beskrivning', help: 'För administratörer.' },
    contact: { label: 'Kontakt', help: 'E-postadress till den som sköter applikationen.' },
    type: { label: 'Slag' },
    firstParty: { label: 'Hör till huset', help: 'Husets egna applikationer. De behöver inte fråga om lov.' },
    authMethod: { label: 'Bevis' },
    jwks: { label: 'Publika nycklar (JWKS)', help: 'JSON med nycklarnas publika halvor.' },
    redirectUris: {
      label: 'Adresser att komma tillbaka till (redirect URI)',
      help: 'Jämförs bokstav för bokstav med det applikationen skickar.',
    },
    postLogoutRedirectUris: {
      label: 'Adresser efter utloggning (post-logout redirect URI)',
      help: 'Behövs bara om applikationen vill ha tillbaka den som loggat ut.',
    },
    corsOrigins: {
      label: 'Fler ursprung vars skript får anropa oss (CORS)',
      help: 'Ursprungen för adresserna ovan är redan med.',
    },
    backchannelLogoutUri: {
      label: 'Adress för utloggningsmeddelanden (back-channel logout)',
      help: 'Dit skickar vi bud när någon har loggat ut.',
    },
    frontchannelLogoutUri: {
      label: 'Sida som loggar ut i webbläsaren (front-channel logout)',
      help: 'Bara för den som inte kan ta emot meddelanden. Webbläsare stoppar den ofta.',
    },
    launchUrl: { label: 'Startadress', help: 'Länken till applikationen under Mina uppgifter.' },
    initiateLoginUri: {
      label: 'Adress som påbörjar en inloggning (initiate login URI)',
      help: 'Går före startadressen. Alltid https.',
    },
    scopes: { label: 'Omfång (scopes)' },
    allowedIntents: { label: 'Ärenden den får skicka folk hit med' },
    signingAlg: { label: 'Signering av ID-token' },
    'lifetimes.accessToken': { label: 'Åtkomsttoken' },
    'lifetimes.idToken': { label: 'ID-token' },
    'lifetimes.refreshToken': { label: 'Förnyelsetoken' },
    'lifetimes.session': {
      label: 'Inloggningens ålder',
      help: 'Den som loggade in för längre sedan loggar in på nytt.',
    },
    lifetimes: { label: 'Livslängder' },
    requiredAcr: { label: 'Inloggningens styrka' },
    allowedGroups: { label: 'Grupper', help: 'Ingen vald: alla får använda den.' },
    consent: { label: 'Fråga om lov' },
    parRequired: {
      label: 'Kräv att begäran skickas bakvägen (PAR)',
      help: 'Applikationen måste först skicka sin begäran server till server.',
    },
    pkceOptional: {
      label: 'Får komma utan PKCE',
      help: 'Bara för program som inte kan. De måste kontrollera nonce och hålla sin hemlighet.',
    },
    assertionSigningAlg: {
      label: 'Algoritm för applikationens signerade intyg (assertion)',
      help: 'Bara för klienter som signerar med en nyckel. En av nycklarna måste passa den.',
    },
    assertionAudience: {
      label: 'Mottagare i applikationens signerade intyg (aud)',
      help: 'Bara för klienter som signerar. Välj token-adressen om biblioteket inte kan skicka utfärdaren.',
    },
    dpopRequired: {
      label: 'Kräv token som är bundna till en nyckel (DPoP)',
      help: 'Den som stjäl en token har då ingen nytta av den. Applikationen måste klara det.',
    },
    deviceFlow: {
      label: 'Får logga in folk på enheter utan webbläsare (device flow)',
      help: 'Tv, skrivare, terminal: enheten visar en kod som personen skriver i sin egen webbläsare.',
    },
    subjectType: {
      label: 'Personens nummer (sub)',
      help: 'Ändra det inte när applikationen har användare: den känner inte igen dem efteråt.',
    },
    sector: {
      label: 'Sektor',
      help: 'Applikationer i samma sektor får samma nummer. Tomt: värddatorn i adresserna ovan.',
    },
    apiScopes: {
      label: 'Vad den får göra i gränssnittet för program (API)',
      help: 'Inget valt: den har inget där att göra. Den som loggar in i den gör ändå bara det som rollen tillåter.',
    },
    apiGroup: { label: 'Bara den här gruppen', help: 'Tjänsten ser och sköter då bara gruppens personer.' },
    ...resourceServersSv.clientFields,
  },

  choices: {
    authMethod: {
      secret: 'En hemlighet, i rubriken eller formuläret',
      private_key_jwt: 'En egen nyckel som den signerar med (private_key_jwt)',
      client_secret_jwt: 'En hemlighet som den signerar med, och som vi måste kunna läsa (client_secret_jwt)',
      none: 'Ingen: PKCE räcker',
    },
    assertionAudience: { issuer: 'Utfärdaren (issuer)', 'token-endpoint': 'Token-adressen (token endpoint)' },
    scopes: {
      profile: 'Namn och språk (profile)',
      email: 'E-postadress (email)',
      groups: 'Grupper: alla, eller de som får använda den (groups)',
      offline_access: 'Förnya utan att någon är där (offline_access)',
    },
    subjectType: {
      public: 'Samma i alla applikationer',
      pairwise: 'Ett eget för varje sektor (pairwise)',
    },
    allowedIntents: { replace_authenticator: 'Flytta till en ny telefon', step_up: 'Bekräfta att det är du' },
    apiScopes: {
      'people:read': 'Läsa personer och grupper (people:read)',
      'people:write':
        'Bjuda in, stänga av och logga ut personer, kräva två steg, ändra deras grupper och egna uppgifter (people:write)',
      'roles:write': 'Ge och ta roller, och nå handläggares konton (roles:write)',
      'groups:write': 'Skapa grupper (groups:write)',
      'cases:read': 'Läsa supportens ärenden (cases:read)',
      'cases:write': 'Handlägga ärenden, för någon som loggar in (cases:write)',
      'audit:read': 'Läsa händelseloggen (audit:read)',
      'clients:read': 'Läsa applikationer (clients:read)',
      'clients:write': 'Skapa, ändra och ta bort applikationer (clients:write)',
      'accounts:import': 'Läsa in många konton (accounts:import)',
      'accounts:export': 'Ta ut alla konton (accounts:export)',
    },
    consent: {
      ask: 'Varje gång',
      remembered: 'En gång, och kom ihåg svaret i 30 dagar',
      none: 'Aldrig (bara husets egna)',
    },
  },

  faults: {
    missing: 'Det här behövs.',
    malformed: 'Det här går inte att läsa som det ska vara.',
    'unknown-field': 'Det finns inget fält med det namnet.',
    'not-a-choice': 'Det är inget av det som går att välja.',
    'too-long': 'Det är för långt.',
    'too-many': 'Det är för många.',
    'id-malformed': 'Använd små bokstäver, siffror och bindestreck, 2 till 63 tecken, med en bokstav först.',
    'id-reserved': 'Det som börjar med hemma- är våra egna sidor. Välj ett annat.',
    'id-like-an-account': 'Det ser ut som ett kontos nummer. Välj ett annat.',
    'id-taken': 'Det finns redan en applikation med det id:t.',
    'contact-not-an-address': 'Det ser inte ut som en e-postadress.',
    'redirect-missing': 'Den som loggar in behöver en adress att komma tillbaka till.',
    'address-twice': 'Adressen står redan med.',
    'front-channel-elsewhere':
      'Sidan måste ligga på samma ställe (schema, värd och port) som en av adresserna efter inloggning.',
    'cors-with-secret':
      'Bara applikationer utan hemlighet anropar oss från webbläsaren. Låt servern göra anropet.',
    'auth-method-public': 'Det som körs hos användaren kan inte hålla en hemlighet.',
    'pkce-public': 'Utan hemlighet är PKCE det enda beviset: det går inte att välja bort.',
    'device-flow-in-browser': 'Den här applikationen körs redan i en webbläsare: där loggar man in direkt.',
    'auth-method-missing': 'Den här applikationen behöver bevisa vem den är.',
    'keys-missing': 'Klistra in minst en publik nyckel.',
    'keys-malformed': 'Det är ingen nyckelsamling (JWKS) som vi kan läsa.',
    'keys-not-used': 'Nycklar används bara när applikationen signerar (private_key_jwt).',
    'assertion-not-used': 'Det används bara när klienten signerar med en nyckel eller en hemlighet.',
    'assertion-alg-of-other-method': 'En hemlighet signerar med HS256 och en nyckel med en annan algoritm.',
    'assertion-alg-without-key':
      'Ingen nyckel passar algoritmen. Välj en annan, eller lägg till en sådan nyckel.',
    'key-too-small': 'En RSA-nyckel har minst 2048 bitar.',
    'key-private':
      'Det här är den privata halvan. Den ska ingen annan se: gör en ny nyckel och klistra in den publika.',
    'consent-none-for-others': 'Bara husets egna applikationer får låta bli att fråga.',
    'lifetime-not-a-number': 'Skriv ett antal sekunder.',
    'lifetime-out-of-range': 'Det är kortare eller längre än vi tillåter.',
    'lifetime-without-refresh': 'Utan offline_access får applikationen inga förnyelsetoken.',
    'not-for-a-service': 'Ingen loggar in i en tjänst, så det här betyder ingenting för den.',
    'group-unknown': 'Det finns ingen grupp med det namnet.',
    'changed-meanwhile': 'Någon annan ändrade applikationen medan du skrev. Titta på den och ändra igen.',
    'managed-by-file': 'Applikationen sköts i en fil. Ändra den där.',
    'api-scope-for-people': 'Det svarar en människa för: inget program kan göra det på egen hand.',
    'api-scope-beyond-group': 'Den som är begränsad till en grupp har ingen nytta av det.',
    'dpop-not-for-api': 'Gränssnittet för program tar inte emot token som är bundna till en nyckel.',
    'api-group-not-used': 'Bara tjänster som får använda gränssnittet begränsas till en grupp.',
    'beyond-reach': 'Det skulle ge applikationen mer än programmet som frågar självt har.',
    'sector-malformed': 'En sektor är namnet på en värddator, som example.com, eller en https-adress.',
    'sector-missing':
      'Adresserna har inte en och samma värddator. Skriv vilken sektor applikationen hör till.',
    'device-flow-pairwise':
      'Med egna nummer för varje sektor går det inte att logga in på enheter utan webbläsare.',
    'sector-not-used': 'Sektorn används bara när varje sektor har egna nummer.',
    'address-too-long': 'En adress har högst 2000 tecken.',
    'address-characters':
      'Mellanslag, å, ä, ö och andra ovanliga tecken går inte. Skriv dem kodade (%C3%A5).',
    'address-wildcard': 'Stjärnor går inte: varje adress skrivs ut för sig.',
    'address-fragment': 'En adress får inte ha #.',
    'address-malformed': 'Det är ingen hel adress. Den börjar med https:// eller ett eget schema.',
    'address-user': 'Användarnamn före @ går inte: den som läser tar det för värden.',
    'address-path-traversal': 'Punkter som byter mapp (/../) går inte: webbläsaren hamnar någon annanstans.',
    'address-dangerous-scheme': 'Det schemat kör eller läser webbläsaren själv. Använd https.',
    'address-private-scheme': 'Egna scheman är för mobil- och datorprogram. Använd https.',
    'address-scheme-not-reversed':
      'Ett eget schema är ditt domännamn baklänges, till exempel com.example.app (RFC 8252 §7.1).',
    'address-not-https': 'Använd https. Bara den egna datorn (localhost, 127.0.0.1) får ha http.',
    'address-native-https-loopback': 'Till den egna datorn används http, till exempel http://127.0.0.1/svar.',
    'address-private-network': 'Adresser på interna nät går inte att nå härifrån.',
    'address-loopback':
      'Använd ett värdnamn som andra når. För alla andra pekar den här adressen på deras egen dator.',
    'address-not-an-origin': 'Ett ursprung är bara schema, värd och port: https://app.example.com',
    ...resourceServersSv.faults,
  },

  hints: {
    'address-hint-loopback': 'Fungerar bara på din egen dator. Ta bort den när applikationen tas i drift.',
    'address-hint-localhost-name': 'Fungerar, men 127.0.0.1 är säkrare än namnet localhost (RFC 8252 §8.3).',
  },
  addressFine: 'Adressen går bra.',

  parts: {
    navigation: 'Applikationens delar',
    overview: 'Översikt',
    connect: 'Anslut',
    secrets: 'Hemligheter',
    trial: 'Prova',
  },

  overview: {
    created: (date: string) => `Skapad ${date}`,
    changed: (date: string) => `Senast ändrad ${date}`,
    settings: 'Så är den inställd',
    edit: 'Ändra',
    arrivals: 'Senast inloggade',
    arrivalsHelp: 'De tio senaste gångerna som någon kom in, också utan att skriva något.',
    arrivalsNone: 'Ingen har loggat in än.',
    who: 'Vem',
    when: 'Tid',
    somebody: 'Borttaget konto',
    dangerous: 'Stänga av och ta bort',
  },

  notices: {
    created: 'Applikationen är skapad.',
    changed: 'Ändringarna är sparade och gäller nu.',
    unchanged: 'Ingenting var annorlunda.',
    disabled: 'Applikationen är avstängd.',
    enabled: 'Applikationen är på igen.',
    'signed-out': 'Allas åtkomst är avslutad.',
    'secret-removed': 'Hemligheten är borttagen och gäller inte längre.',
    forgotten: 'Listan är rensad.',
    removed: 'Applikationen är borttagen.',
  },

  deeds: {
    disable: {
      title: (name: string) => `Stäng av ${name}`,
      consequence:
        'Alla loggas ut ur den, och dess token och hemligheter slutar gälla. Du kan öppna den igen.',
      button: 'Stäng av applikationen',
    },
    enable: {
      title: (name: string) => `Öppna ${name} igen`,
      consequence: 'Inloggning och hemligheter fungerar igen. Tidigare token gäller inte.',
      button: 'Öppna applikationen',
    },
    'sign-out': {
      title: (name: string) => `Logga ut alla ur ${name}`,
      consequence:
        'Allas token för applikationen slutar gälla, och den får bud om att logga ut dem. De är kvar inloggade här, så den som kommer tillbaka släpps in utan att skriva något.',
      button: 'Logga ut alla',
    },
    'remove-secret': {
      title: (name: string) => `Ta bort hemligheten ${name}`,
      consequence: 'Program som använder den släpps inte in längre.',
      button: 'Ta bort hemligheten',
    },
    delete: {
      title: (name: string) => `Ta bort ${name}`,
      consequence:
        'Applikationen, dess hemligheter och allas token för den försvinner. Det går inte att ångra.',
      consequenceOfFile:
        'Den sköts i en fil: nästa gång filen används kommer den tillbaka om den står kvar där.',
      type: 'Skriv applikationens klient-id',
      wrong: 'Det är inte applikationens klient-id. Skriv det precis som det står.',
      button: 'Ta bort applikationen',
    },
  },

  secrets: {
    help: 'Flera får gälla samtidigt: lägg till en ny, byt i programmet och ta sedan bort den gamla.',
    encryptedHelp:
      'Applikationen signerar med sin hemlighet. Därför sparar vi den krypterad och inte bara som en hash. En egen nyckel (private_key_jwt) är säkrare.',
    otherProof: 'Gäller inte: gjord för ett annat bevis',
    none: 'Applikationen har ingen hemlighet än. Utan en kan den inte logga in någon.',
    notKept: 'Applikationen bevisar vem den är utan hemlighet.',
    create: 'Ny hemlighet',
    remove: 'Ta bort',
    columns: { name: 'Namn', created: 'Skapad', used: 'Senast använd', expires: 'Gäller till' },
    neverUsed: 'Aldrig',
    neverExpires: 'Tills vidare',
    expired: (date: string) => `Slutade gälla ${date}`,
    name: 'Namn',
    nameHelp: 'Var den används, till exempel ”drift” eller ”test”.',
    lifetime: 'Gäller',
    lifetimes: { '90': '90 dagar', '180': '180 dagar', '365': 'ett år', never: 'tills vidare' },
    submit: 'Skapa hemligheten',
    shownTitle: 'Hemligheten är skapad',
    shownHelp: 'Kopiera den nu. Vi kan inte visa den igen.',
    secret: 'Hemlighet',
    done: 'Jag har kopierat den',
    refusals: {
      'secret-name-missing': 'Ge den ett namn.',
      'secret-name-taken': 'Det finns redan en hemlighet med det namnet. Välj ett annat.',
      'secret-expired-already': 'Den tiden har redan gått.',
      'secrets-too-many': 'Applikationen har redan tjugo hemligheter. Ta bort någon som inte används.',
      'client-unknown': 'Applikationen finns inte längre.',
      'client-keeps-no-secret': 'Applikationen har inga hemligheter.',
      'beyond-reach': 'Det skulle ge applikationen mer än programmet som frågar självt har.',
    },
  },

  connect: {
    help: 'De flesta program behöver bara utfärdaren eller discovery-adressen.',
    endpoints: 'Adresser',
    names: {
      clientId: 'Klient-id',
      issuer: 'Utfärdare (issuer)',
      discovery: 'Uppslag (discovery)',
      authorization: 'Inloggning (authorization)',
      token: 'Utlämning av token',
      userinfo: 'Uppgifter (userinfo)',
      jwks: 'Nycklar (JWKS)',
      endSession: 'Utloggning (end session)',
      par: 'Begäran bakvägen (PAR)',
      introspection: 'Kontroll av token (introspection)',
      revocation: 'Återkallande (revocation)',
      deviceAuthorization: 'Kod för en enhet (device authorization)',
    },
    snippets: 'Färdiga exempel',
    snippetsHelp: (variable: string) =>
      `Ifyllda med den här applikationens värden. Hemligheten läses ur ${variable}: lägg den inte i koden.`,
  },

  trial: {
    signIn: 'Provinloggning',
    signInHelp:
      'En riktig inloggning med applikationens regler: styrka, grupper, fråga om lov, livslängder och signering. Den går inte via applikationen: dess egen adress och hemlighet provas inte, och svaret kommer hit.',
    anew: 'Fråga efter alla bevis på nytt (då kan du logga in som någon annan)',
    anewHelp: 'Loggar du in som någon annan loggas du själv ut ur administrationen i den här webbläsaren.',
    begin: 'Börja provinloggningen',
    off: 'Applikationen är avstängd. Öppna den för att prova.',
    service: 'Ingen loggar in i en tjänst, så det finns inget att prova.',
    preview: 'Vad applikationen skulle få veta',
    previewHelp: 'Välj en person. Ingenting skickas till applikationen.',
    person: 'E-postadress',
    show: 'Visa',
    nobody: 'Det finns inget konto med den adressen.',
    verdicts: {
      allowed: 'Får använda applikationen.',
      outside: 'Får inte använda applikationen: är inte med i någon av dess grupper.',
      disabled: 'Kan inte logga in: kontot är avstängt.',
      'needs-phone': 'Behöver koppla en telefon först: applikationen kräver två steg.',
    },
    columns: { claim: 'Uppgift', value: 'Värde', where: 'Finns i' },
    where: { 'id-token': 'ID-token', userinfo: 'userinfo-svaret' },
    decidedThen: 'bestäms vid inloggningen',
    landed: 'Provinloggningen lyckades',
    landedAs: (name: string, acr: string) => `${name} loggade in med styrkan ${acr}.`,
    notLanded: 'Provinloggningen blev inte av',
    errors: {
      access_denied: 'Personen fick inte, eller ville inte, använda applikationen.',
      login_required: 'Det behövdes en ny inloggning.',
      other: 'Leverantören kunde inte göra det som begärdes.',
      used: 'Svaret är redan använt eller för gammalt. Börja om.',
    },
    verified: 'Signaturen stämmer med våra publika nycklar.',
    idToken: 'I ID-token',
    userinfo: 'Från userinfo',
    tokens: (seconds: number) => `Åtkomsttoken gäller i ${seconds} sekunder.`,
    back: 'Tillbaka till applikationen',
  },

  noAccess: {
    title: (client: string) => `Du har inte tillgång till ${client}`,
    help: 'Ditt konto är inte med i någon av de grupper som får använda den.',
    ask: (contact: string) =>
      `Fråga den som sköter applikationen på din arbetsplats, eller kontakta ${contact}.`,
    back: (client: string) => `Tillbaka till ${client}`,
    waiting: 'Ett ögonblick …',
  },
};

/** Samma form på alla språk. */
export type ClientPhrases = typeof clientsSv;
