/** Egna uppgifters ord: de som en administratör beskriver och applikationer får veta. Den andra språkfilen har samma form. */
export const ownClaimsSv = {
  title: 'Egna uppgifter',
  link: 'Egna uppgifter (claims)',
  help: 'Sådant som applikationer kan få veta om en person utöver namn, e-postadress och grupper. Värdena skriver du på personens sida.',
  none: 'Här finns inga egna uppgifter än. Skapa den första som en applikation behöver.',
  create: 'Ny uppgift',
  columns: { name: 'Claim', label: 'Vad det är', scope: 'Omfång (scope)', kind: 'Värde' },
  kinds: { one: 'En text', several: 'En lista' },
  newTitle: 'Ny uppgift',
  fields: {
    name: 'Claim',
    nameHelp:
      'Det applikationen läser: bokstäver, siffror och understreck, eller en https-adress. Kan inte ändras.',
    scope: 'Omfång (scope)',
    scopeHelp:
      'Det applikationen ber om för att få veta uppgiften. Flera uppgifter kan dela ett omfång. given_name och andra namn hör till profile.',
    labelSv: 'Vad det är, på svenska',
    labelSvHelp: 'Den som ska samtycka läser det, till exempel ”Avdelning”.',
    labelEn: 'Vad det är, på engelska',
    labelEnHelp: 'Tomt: samma som på svenska.',
    multi: 'Kan ha flera värden',
    multiHelp: 'Applikationen får då en lista, också när det är ett. Kan inte ändras.',
  },
  askAgain:
    'När en uppgift läggs till ett omfång frågar de applikationer som har det, och som frågar om samtycke, på nytt.',
  submitNew: 'Skapa uppgiften',
  submit: 'Spara ändringarna',
  waiting: 'Ett ögonblick …',
  remove: {
    title: 'Ta bort uppgiften',
    help: 'Allas värden försvinner, och ingen applikation får veta dem mer.',
    consequence: 'Allas värden för uppgiften försvinner. Det går inte att ångra.',
    type: 'Skriv uppgiftens claim',
    button: 'Ta bort uppgiften',
  },
  notices: {
    created: 'Uppgiften är skapad.',
    changed: 'Ändringarna är sparade.',
    unchanged: 'Ingenting var annorlunda.',
    removed: 'Uppgiften är borttagen.',
  },
  /** Mitt i en mening, efter ”ber om att få:”. */
  sees: (what: string) => `se det här om dig: ${what}`,
  person: {
    section: 'Egna uppgifter',
    none: 'Inget är ifyllt.',
    link: 'Ändra uppgifterna',
    title: 'Ändra uppgifterna',
    help: 'Applikationer som har omfånget får veta dem nästa gång de frågar. Tomt tar bort värdet.',
    several: 'Ett värde på varje rad.',
    undefined: 'Inga egna uppgifter är beskrivna än.',
    define: 'Till de egna uppgifterna',
    button: 'Spara uppgifterna',
    done: 'Uppgifterna är sparade.',
  },
  faults: {
    missing: 'Det här behövs.',
    malformed: 'Det här går inte att läsa som det ska vara.',
    'too-long': 'Det är för långt.',
    'unknown-field': 'Det finns inget fält med det namnet.',
    'claim-malformed':
      'Använd högst 64 bokstäver, siffror och understreck med en bokstav först, eller en https-adress.',
    'claim-reserved': 'Det namnet betyder redan något bestämt för program. Välj ett annat.',
    'claim-taken': 'Det namnet är upptaget, eller så finns redan 200 egna uppgifter.',
    'claim-kind-fixed': 'Om den är en text eller en lista kan inte ändras. Skapa en ny i stället.',
    'claim-of-profile': 'Sådana namn är en text och hör till omfånget profile.',
    'scope-malformed': 'Använd små bokstäver, siffror, punkt, bindestreck och understreck, högst 63.',
    'scope-reserved': 'Det omfånget öppnar redan något annat. Välj ett eget.',
    'scope-of-application':
      'En applikation har omfånget, och inget annat hör till det. Ta bort det där först.',
    'wrong-claim-name': 'Det är inte uppgiftens claim. Skriv det precis som det står.',
    'attribute-unknown': 'Uppgiften finns inte.',
    'attribute-single': 'Uppgiften har högst ett värde.',
    'attribute-malformed': 'Värdet är en rad text utan styrtecken.',
    'attribute-too-long': 'Ett värde har högst 1000 tecken.',
    'attributes-too-many': 'En person har högst 50 värden.',
  },
};

export type OwnClaimsPhrases = typeof ownClaimsSv;
