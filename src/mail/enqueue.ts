import type { Settings } from '../../config/settings.ts';
import type { Post } from './outbox.ts';
import { postOf } from './outbox.ts';
import type { Vault } from '../crypto/encryption.ts';
import { vaultOf } from '../crypto/encryption.ts';
import { secretKeys } from '../crypto/secret-keys.ts';

/** Puts mails into the outbox as the settings have them signed, worded and linked. */
export const postFor = (settings: Settings, vault: Vault = vaultOf(secretKeys(settings))): Post =>
  postOf(vault, {
    brand: settings.HEMMA_BRAND_NAME,
    helpDesk: settings.HEMMA_HELP_DESK_CONTACT,
    issuer: settings.HEMMA_ISSUER,
    defaultLocale: settings.HEMMA_DEFAULT_LOCALE,
  });
