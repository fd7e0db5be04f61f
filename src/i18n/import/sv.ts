/** Varför en rad, eller en hel fil, inte kan läsas in. Den andra språkfilen har samma form. */
export const importSv = {
  rows: {
    'not-utf8': 'Raden är inte skriven i UTF-8. Spara filen som UTF-8.',
    'row-too-long': 'Raden är längre än 16 384 tecken.',
    'wrong-columns': 'Raden har inte lika många celler som den första raden.',
    'malformed-row': 'Raden går inte att läsa. Se på citattecken och parenteser.',
    'cut-off':
      'Filen slutar mitt i raden. Avsluta raden med en radbrytning om den är hel, och stäng varje citattecken.',
    'unknown-field': 'Raden har ett fält som inte är känt.',
    'control-character': 'Värdet har ett styrtecken i sig.',
    'malformed-value': 'Värdet går inte att läsa. Ja och nej skrivs true och false.',
    'malformed-email': 'Det ser inte ut som en e-postadress.',
    'missing-email': 'Raden har ingen e-postadress.',
    'missing-name': 'Raden har inget namn.',
    'name-too-long': 'Namnet är längre än 200 tecken.',
    'unknown-locale': 'Språket är ett annat än svenska och engelska.',
    'privileged-account': 'Bara personer läses in. Roller ges för hand efteråt.',
    'unknown-hash':
      'Lösenordets hash är av ett slag som inte läses in: argon2id, bcrypt, PBKDF2 och scrypt går bra.',
    'malformed-hash': 'Lösenordets hash är inte hel.',
    'costly-hash': 'Lösenordets hash tar för lång tid eller för mycket minne att kontrollera.',
    'no-such-group': 'Gruppen finns inte.',
    'attribute-unknown': 'Raden nämner en egen uppgift som inte är beskriven.',
    'attribute-single': 'Raden har flera värden för en uppgift som har ett.',
    'attribute-malformed': 'Ett värde är inte en rad text utan styrtecken.',
    'attribute-too-long': 'Ett värde är längre än 1000 tecken.',
    'attributes-too-many': 'Raden har fler än 50 värden.',
    'repeated-email': 'Adressen står tidigare i filen.',
    'email-taken': 'Adressen har redan ett konto, som är orört.',
  },
  files: {
    'empty-file': 'Filen är tom.',
    'not-utf8': 'Den första raden är inte skriven i UTF-8.',
    'unknown-column': 'Den första raden namnger en kolumn som inte är känd.',
    'repeated-column': 'Den första raden namnger en kolumn två gånger.',
    'missing-column': 'Den första raden saknar en kolumn som behövs.',
  },
};

export type ImportPhrases = typeof importSv;
