import type { Settings } from '../config/settings.ts';
import type { Post } from './mail/outbox.ts';
import { postOf } from './mail/outbox.ts';
import type { Vault } from './platform/secrets.ts';
import { vaultOf } from './platform/secrets.ts';
import { secretKeys } from './secret-keys.ts';

/** Puts mails into the outbox as the settings have them signed, worded and linked. */
export const postFor = (settings: Settings, vault: Vault = vaultOf(secretKeys(settings))): Post =>
  postOf(vault, {
    brand: settings.HEMMA_BRAND_NAME,
    helpDesk: settings.HEMMA_HELP_DESK_CONTACT,
    issuer: settings.HEMMA_ISSUER,
    defaultLocale: settings.HEMMA_DEFAULT_LOCALE,
  });
