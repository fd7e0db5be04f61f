import type { Settings } from '../../config/settings.ts';
import type { EnqueueMail } from './outbox.ts';
import { createMailEnqueuer } from './outbox.ts';
import type { Encryption } from '../crypto/encryption.ts';
import { createEncryption } from '../crypto/encryption.ts';
import { loadSecretKeys } from '../crypto/secret-keys.ts';

/** Puts mails into the outbox as the settings have them signed, worded and linked. */
export const createEnqueueMail = (
  settings: Settings,
  encryption: Encryption = createEncryption(loadSecretKeys(settings)),
): EnqueueMail =>
  createMailEnqueuer(encryption, {
    brand: settings.HEMMA_BRAND_NAME,
    helpDesk: settings.HEMMA_HELP_DESK_CONTACT,
    issuer: settings.HEMMA_ISSUER,
    defaultLocale: settings.HEMMA_DEFAULT_LOCALE,
  });
