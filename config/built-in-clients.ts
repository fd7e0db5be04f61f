/** What the identifiers of the provider's own pages begin with; nobody else's may (see `client-description.ts`). */
const prefix = 'hemma-';

/** My details, and all that a person does with their own account. */
export const accountClientId = `${prefix}account`;

/** The console. */
export const adminClientId = `${prefix}admin`;

/** What a client's identifier follows while an administrator tries its rules out. */
export const trialPrefix = `${prefix}trial:`;

/** Whether an identifier is one of the provider's own pages or of a trial: no application that somebody registered. */
export const isOwnClient = (id: string): boolean => id.startsWith(prefix);
