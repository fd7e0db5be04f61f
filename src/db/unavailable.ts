interface Fault {
  code?: string;
  message?: string;
}

// Faults of a database that is away, starting or overloaded: nothing is wrong with the request, so it may come again.
const unavailableCodes =
  /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|08|53|57|25P0[23])/;

/** Whether a fault is the database's being away, and not the request's. */
export const isDatabaseUnavailable = ({ code = '', message = '' }: Fault): boolean =>
  unavailableCodes.test(code) ||
  // pg's own words, which have no code: the last are of a connection that broke between two statements.
  /trying to connect|timeout expired|Connection terminated|Query read timeout|not queryable/.test(message);
