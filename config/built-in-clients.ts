/** What the identifiers of the provider's own pages begin with; nobody else's may (see `client-description.ts`). */
const builtInPrefix = 'hemma-';

/** My details, and all that a person does with their own account. */
export const accountClientId = `${builtInPrefix}account`;

/** The console. */
export const adminClientId = `${builtInPrefix}admin`;

/** What a client's identifier follows while an administrator tries its rules out. */
export const testSignInPrefix = `${builtInPrefix}trial:`;

/** Whether an identifier is one of the provider's own pages or of a trial: no application that somebody registered. */
export const isBuiltInClient = (id: string): boolean => id.startsWith(builtInPrefix);
