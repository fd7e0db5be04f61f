/** Ord om API som tar emot våra token (resource servers). Den andra språkfilen har samma form. */
export const resourceServersSv = {
  title: 'API som tar emot våra token',
  link: 'API som applikationerna anropar',
  back: 'Till applikationerna',
  help: 'Ett API som registreras här kan få egna åtkomsttoken: med API:ets adress som mottagare, bara de omfång som du skriver ner, och signerade så att API:et läser dem utan att fråga oss. I applikationen väljer du sedan vilka av dem den får be om.',
  none: 'Inget API är registrerat än. Det behövs när en applikation anropar ett API som ska lita på våra token.',
  create: 'Registrera ett API',
  newTitle: 'Registrera ett API',
  editTitle: (name: string) => `Ändra ${name}`,
  edit: 'Ändra API:et',
  submitNew: 'Registrera API:et',
  submit: 'Spara ändringarna',
  waiting: 'Ett ögonblick …',
  cancel: 'Avbryt',
  columns: { name: 'Namn', id: 'Identifierare', format: 'Token', managed: 'Sköts i' },
  fileHelp: 'Det här API:et sköts i en fil (hemma clients apply). Ändra det där.',
  toConnect: 'Så ber en applikation om en token',
  toConnectHelp: (id: string) =>
    `Skicka resource=${id} i begäran om inloggning och i begäran om token, tillsammans med de omfång som behövs. En tjänst skickar det i sin begäran om token.`,
  scopes: 'Omfång',
  users: 'Får be om token',
  usersNone: 'Ingen applikation får be om token än. Välj API:et i applikationens formulär.',
  notices: {
    created: 'API:et är registrerat.',
    changed: 'Ändringarna är sparade och gäller nya token.',
    unchanged: 'Ingenting var annorlunda.',
    removed: 'API:et är borttaget.',
  },
  remove: {
    title: (name: string) => `Ta bort ${name}`,
    consequence:
      'Inga nya token görs för API:et. Signerade token som redan är utlämnade gäller tills deras tid är ute.',
    inUse: 'Det går inte än: dessa applikationer använder API:et. Ta bort det hos dem först.',
    button: 'Ta bort API:et',
  },

  fields: {
    id: {
      label: 'Identifierare (resource, aud)',
      help: 'En hel adress som API:et kontrollerar att den står i aud, som https://api.example.com/orders. Kan inte ändras.',
    },
    name: { label: 'Namn', help: 'Den som tillfrågas om lov ser det.' },
    scopes: {
      label: 'Omfång, ett på varje rad',
      help: 'Namnet, ett mellanslag och vad det ger lov till: orders:read läsa dina beställningar',
    },
    tokenFormat: { label: 'Slag av token' },
    signingAlg: { label: 'Signatur', help: 'Bara för signerade token.' },
    lifetime: {
      label: 'Gäller i sekunder',
      help: 'Från 60 till 3600. En signerad token kan ingen ta tillbaka: den gäller tiden ut också för den som stängts av eller loggat ut. Därför tio minuter om du inte väljer annat. En tjänst får aldrig längre än tio.',
    },
  },

  formats: {
    jwt: 'Signerad (JWT): API:et läser den själv',
    opaque: 'Ogenomskinlig: API:et frågar oss varje gång (introspection)',
  },

  client: {
    group: 'Andra API',
    none: 'Inget API är registrerat.',
    introspectsNone: 'Inget',
    consent: (name: string) => `I ${name}:`,
  },

  clientFields: {
    resources: {
      label: 'Vad den får be om hos dem',
      help: 'Inget valt: den får inga token för dem.',
    },
    introspects: {
      label: 'Är själv det här API:et',
      help: 'Då får den fråga oss om API:ets ogenomskinliga token (introspection).',
    },
  },

  faults: {
    'resource-reserved': 'Det som ligger under vår egen adress är vårt. Välj ett annat.',
    'resource-taken': 'Det finns redan ett API med den identifieraren.',
    'resource-in-use': 'En applikation använder det som skulle försvinna. Ta bort det hos den först.',
    'resource-changed-meanwhile':
      'Någon annan ändrade API:et medan du skrev. Titta på det och gör din ändring igen.',
    'resource-managed-by-file': 'API:et sköts i en fil. Ändra det där.',
    'resource-unknown': 'Det finns inget API med den identifieraren.',
    'resource-scope-unknown': 'API:et har inget sådant omfång.',
    'resource-twice': 'API:et står redan med.',
    'scopes-missing': 'Minst ett omfång behövs.',
    'scope-malformed': 'Ett omfång skrivs utan mellanslag, citattecken, å, ä och ö.',
    'scope-reserved': 'Det namnet betyder något annat hos oss. Välj ett annat.',
    'scope-twice': 'Omfånget står redan med.',
    'alg-not-used': 'En ogenomskinlig token har ingen signatur.',
    'only-for-a-service': 'Det kan bara en tjänst.',
  },

  events: {
    'resource-server.created': 'Ett API registrerades',
    'resource-server.changed': 'Ett API ändrades',
    'resource-server.removed': 'Ett API togs bort',
  },
};

/** Samma form på alla språk. */
export type ResourceServerPhrases = typeof resourceServersSv;
