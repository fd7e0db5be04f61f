/** Orden för den som loggar in en enhet utan webbläsare. Den andra språkfilen har samma form. */
export const deviceFlowSv = {
  pages: {
    entry: {
      title: 'Logga in på en enhet',
      help: 'Skriv koden som visas på din tv, skrivare eller terminal.',
      compare: 'Jämför koden här nedanför med den som enheten visar.',
      code: 'Kod',
      codeHelp: 'Åtta bokstäver. Stora eller små spelar ingen roll.',
      submit: 'Fortsätt',
      waiting: 'Kontrollerar …',
    },
    /** Att lura någon att skriva en främmande kod är det kända angreppet: det här står där koden skrivs och bekräftas. */
    warning:
      'Fortsätt bara om du själv nyss började på en enhet framför dig. Ingen från oss eller någon support ber dig någonsin att skriva en kod här.',
    confirm: {
      title: (client: string) => `Ska enheten logga in dig i ${client}?`,
      compare: 'Exakt den här koden ska stå på enheten:',
      asked: (time: string) => `Enheten bad om koden ${time}.`,
      sameNetwork: (what: string) => `Den finns på samma nätverk som du (${what}).`,
      otherNetwork: (what: string) => `Den finns på ett annat nätverk än du (${what}).`,
      asWhom: (email: string) => `Den loggas in som ${email}`,
      allow: 'Ja, logga in enheten',
      waiting: 'Ett ögonblick …',
      deny: 'Nej, släpp inte in den',
    },
    allowed: {
      title: 'Klart. Gå tillbaka till enheten',
      help: 'Den är strax inloggad. Du kan stänga den här sidan.',
      later: 'Under Mina uppgifter kan du koppla från den när du vill.',
    },
    notAllowed: {
      title: 'Enheten släpps inte in',
      help: 'Du kan stänga den här sidan.',
      stranger: (contact: string) => `Var det någon annan som gav dig koden? Kontakta ${contact}.`,
    },
  },

  refusals: {
    'missing-user-code': 'Skriv koden som enheten visar.',
    'wrong-user-code':
      'Koden stämmer inte, eller är redan använd. Titta på enheten och skriv den igen, eller ta fram en ny där.',
    'expired-user-code': 'Koden gällde i tio minuter. Ta fram en ny på enheten.',
    'device-sign-in-ended': 'Den inloggningen är över. Väntar enheten fortfarande, ta fram en ny kod på den.',
  },

  events: {
    'device.allowed': 'Du loggade in en enhet utan webbläsare',
    'device.refused': 'Du släppte inte in en enhet utan webbläsare',
  },
};
