/** A password that meets every rule for accounts with and without two-step verification. */
export const PASSWORD = 'en stilla sjö i augusti';
