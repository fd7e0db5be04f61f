import type { RefusedRequestsPhrases } from './sv.ts';

export const refusedRequestsEn: RefusedRequestsPhrases = {
  title: 'What was refused',
  help: "The application got the standard's code, and the person plain words. Details are the library's own, and they and the address may come from outside.",
  none: 'Nothing has been refused.',
  columns: { what: 'What happened', where: 'Where', times: 'Times', last: 'Last' },
  registered: 'Registered addresses',
  registeredNone: 'No address is registered.',
  forget: 'Clear the list',
  forgetTitle: 'Clear what was refused',
  forgetHelp: 'The list is emptied. What is refused again comes back to it.',
  endpoints: {
    authorization: 'Signing in',
    'pushed-request': 'Pushed request (PAR)',
    'device-authorization': 'Signing in on a device',
    token: 'Getting a token',
    introspection: 'Asking about a token',
    revocation: 'Revoking a token',
    userinfo: 'Asking about the person',
    'sign-out': 'Signing out',
  },
  causes: {
    'redirect-address':
      'The address after signing in is not registered. Register it, or correct it in the application: every character counts.',
    'sign-out-address':
      'The address after signing out is not registered. Register it, or correct it in the application.',
    hint: "The ID token that came along was not ours, or somebody else's. The application should send the latest one it got.",
    secret:
      'The secret did not match. It may have run out or been removed: give the application one that works.',
    assertion:
      "The application's signed assertion was not accepted. Look at the algorithm, the key, the clock, the audience (aud), and that each has a jti of its own.",
    'proof-of-key':
      'The proof of the key (DPoP) was not accepted. Look at the key, the clock, the address and the method in it.',
    authentication:
      'The application proved who it is in another way than it is registered with. Change the one or the other.',
    'code-used':
      'The code was used again, so everything that came of it was revoked. The application should redeem each code once.',
    'code-over': 'The code was too old, or unknown. It lives for a minute: redeem it at once.',
    'code-address':
      'When the code was redeemed the address was another than when the sign-in began, or was no longer registered. It must be exactly the same.',
    'renewal-used':
      'A refresh token was used again, so all that followed from it was revoked. Always keep the new one from the answer, and refresh in one place at a time.',
    'renewal-over':
      'The refresh token no longer works: its time is up, or the person has signed out. Let the person sign in again.',
    'other-application':
      'What was redeemed belonged to another application. Look at which identifier the application uses.',
    account:
      "The person's account is disabled, deleted, or may no longer use the application. Let the person sign in again.",
    verifier:
      'PKCE: code_verifier did not fit code_challenge. Keep it from the beginning of the sign-in to its end.',
    challenge:
      "PKCE is missing, or used with something other than S256. Turn it on in the application's OpenID library.",
    'pushed-needed':
      'The application must push its request first (PAR), and did not. Turn PAR on in it, or drop the demand here.',
    'pushed-over':
      'The pushed request (PAR) had been used, or was older than a minute. Push a new one for each sign-in.',
    level: 'The application demanded a level (acr) that no sign-in here reaches. See acr_values_supported.',
    scope: 'The application asked for more (scope) than it is registered for. Add it here, or ask for less.',
    resource: 'The resource that the token was to be for is unknown, or not open to the application.',
    origin:
      "A script called from a site that is not registered. Add its origin if it is the application's own.",
    'not-registered':
      'The application is not registered for the way that it used. Change its type or its settings.',
    'not-offered': 'The application asked for something that we do not offer. See what discovery says.',
    parameters:
      'Something in the request is missing, or not written as the standard has it. The detail says what.',
    other: 'The request was refused. The code and the detail say why.',
  },
};
