/** What an application asked for and did not get, for whoever looks after it. */
export const refusedRequestsSv = {
  title: 'Det som avvisades',
  help: 'Applikationen fick standardens kod och personen enkla ord. Detaljen är på engelska, och både den och adressen kan komma utifrån.',
  none: 'Ingenting har avvisats.',
  columns: { what: 'Vad hände', where: 'Var', times: 'Antal', last: 'Senast' },
  registered: 'Registrerade adresser',
  registeredNone: 'Ingen adress är registrerad.',
  forget: 'Rensa listan',
  forgetTitle: 'Rensa det som avvisades',
  forgetHelp: 'Listan töms. Det som avvisas igen kommer tillbaka i den.',
  endpoints: {
    authorization: 'Inloggning',
    'pushed-request': 'Inloggning i förväg (PAR)',
    'device-authorization': 'Inloggning på en apparat',
    token: 'Hämta token',
    introspection: 'Fråga om token',
    revocation: 'Återkalla token',
    userinfo: 'Uppgifter om personen',
    'sign-out': 'Utloggning',
  },
  causes: {
    'redirect-address':
      'Adressen efter inloggning är inte registrerad. Registrera den, eller rätta den i applikationen: varje tecken räknas.',
    'sign-out-address':
      'Adressen efter utloggning är inte registrerad. Registrera den, eller rätta den i applikationen.',
    hint: 'ID-token som följde med var inte vår, eller någon annans. Applikationen ska skicka den senaste som den fick.',
    secret:
      'Hemligheten stämde inte. Den kan ha gått ut eller vara borttagen: ge applikationen en som gäller.',
    assertion:
      'Applikationens underskrivna bevis godtogs inte. Se på algoritmen, nyckeln, klockan, mottagaren (aud) och att varje bevis har ett eget jti.',
    'proof-of-key':
      'Beviset för nyckeln (DPoP) godtogs inte. Se på nyckeln, klockan, adressen och metoden i det.',
    authentication:
      'Applikationen visade vem den är på ett annat sätt än den är registrerad med. Ändra det ena eller det andra.',
    'code-used':
      'Koden användes en gång till, så allt som den gav drogs tillbaka. Applikationen ska lösa in varje kod en gång.',
    'code-over': 'Koden var för gammal eller okänd. Den lever i en minut: lös in den direkt.',
    'code-address':
      'När koden löstes in var adressen en annan än när inloggningen började, eller inte längre registrerad. Den ska vara exakt densamma.',
    'renewal-used':
      'En förnyelsetoken användes en gång till, så hela raden av dem drogs tillbaka. Spara alltid den nya som kommer i svaret, och förnya på ett ställe i taget.',
    'renewal-over':
      'Förnyelsetoken gäller inte längre: tiden är ute, eller så har personen loggat ut. Låt personen logga in igen.',
    'other-application':
      'Det som löstes in hörde till en annan applikation. Se på vilken identitet applikationen använder.',
    account:
      'Personens konto är avstängt, borttaget eller får inte längre använda applikationen. Låt personen logga in igen.',
    verifier:
      'PKCE: code_verifier passade inte till code_challenge. Spara den mellan inloggningens början och slut.',
    challenge:
      'PKCE saknas eller används med något annat än S256. Slå på det i applikationens OpenID-bibliotek.',
    'pushed-needed':
      'Applikationen måste skicka sin begäran i förväg (PAR), och gjorde inte det. Slå på PAR i den, eller ta bort kravet här.',
    'pushed-over':
      'Begäran som skickats i förväg (PAR) var redan använd eller äldre än en minut. Skicka en ny för varje inloggning.',
    level:
      'Applikationen krävde en säkerhetsnivå (acr) som ingen inloggning här når. Se acr_values_supported.',
    scope:
      'Applikationen bad om mer (scope) än den är registrerad för. Lägg till det här, eller be om mindre.',
    resource: 'Resursen som token skulle gälla för är okänd, eller inte öppen för applikationen.',
    origin:
      'Ett skript på en annan webbplats än de registrerade anropade. Lägg till dess ursprung om det är applikationens.',
    'not-registered':
      'Applikationen är inte registrerad för det sätt som den använde. Ändra dess typ eller inställningar.',
    'not-offered': 'Applikationen bad om något som vi inte erbjuder. Se vad som står i discovery.',
    parameters:
      'Något i begäran saknas eller är skrivet på ett sätt som standarden inte har. Detaljen säger vad.',
    other: 'Begäran avvisades. Koden och detaljen säger varför.',
  },
};

export type RefusedRequestsPhrases = typeof refusedRequestsSv;
