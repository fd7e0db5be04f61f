export const registrationSv = {
  title: 'Token för registrering',
  help: 'Med en sådan registrerar ett program sig självt som applikation (RFC 7591). Det hör aldrig till huset, frågar alltid om lov och når inte gränssnittet för program.',
  none: 'Det finns inga. Gör en när ett program ska registrera sig självt.',
  create: 'Ny token',
  columns: {
    name: 'Namn',
    state: 'Läge',
    uses: 'Använd',
    used: 'Senast använd',
    expires: 'Gäller till',
    limits: 'Får registrera',
  },
  states: { live: 'Gäller', 'used-up': 'Förbrukad', expired: 'För gammal' },
  times: (uses: number, most: number) => `${uses}\u00a0av\u00a0${most}`,
  neverUsed: 'Aldrig',
  everything: 'alla slag',
  anywhere: 'alla adresser',
  revoke: 'Dra in',
  toClients: 'Till applikationerna',

  name: 'Namn',
  nameHelp:
    'Vem som får den, till exempel ”Leverantören AB”. Det står kvar på applikationerna som registreras med den.',
  lifetime: 'Gäller',
  lifetimes: { '1': 'en timme', '24': 'ett dygn', '168': 'en vecka', '720': '30 dagar' },
  uses: 'Så många applikationer får registreras',
  usesHelp: (most: number) => `Från 1 till ${most}.`,
  types: 'Bara de här slagen',
  typesHelp: 'Inget valt: alla slag.',
  hosts: 'Bara adresser på de här värdarna',
  hostsHelp:
    'En värd på varje rad, till exempel app.example.com. Tomt: alla. Ett eget schema skrivs som domänen det är gjort av.',
  submit: 'Skapa token',
  waiting: 'Ett ögonblick …',
  cancel: 'Avbryt',

  shownTitle: 'Token är skapad',
  shownHelp: 'Kopiera den nu. Vi sparar den inte och kan inte visa den igen.',
  token: 'Token',
  endpoint: 'Adress för registrering',
  validUntil: 'Gäller till',
  done: 'Jag har kopierat den',

  revokeTitle: (name: string) => `Dra in ${name}`,
  revokeHelp: 'Inget mer kan registreras med den. Det som redan är registrerat blir kvar.',
  revoked: 'Token är indragen.',

  /** Om en applikation. */
  mark: (token: string) => `Registrerade sig själv med ${token}`,

  /** För den som loggar in. */
  consent: (host: string) =>
    `Tjänsten har själv valt sitt namn. Du går vidare till ${host}: känner du inte igen det, välj Tillåt inte.`,
  consentOnDevice:
    'Tjänsten har själv valt sitt namn. Känner du inte igen den, eller började du inte själv på enheten: välj Tillåt inte.',

  refusals: {
    'name-missing': 'Ge den ett namn.',
    'name-taken': 'Det finns redan en med det namnet. Välj ett annat.',
    'lifetime-out-of-range': 'Den gäller i minst en timme och högst 30 dagar.',
    'uses-out-of-range': 'Skriv ett antal från 1 till 100.',
    'type-unknown': 'Det är inget slag av applikation som finns.',
    'host-malformed': 'Skriv högst 50 värdnamn, utan https://, stjärnor och mellanslag.',
    'too-many-tokens': 'Det finns redan hundra. Dra in någon som inte behövs.',
  },
};

/** Samma form på alla språk. */
export type RegistrationPhrases = typeof registrationSv;
