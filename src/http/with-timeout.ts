/**
 * What `work` answers, or `otherwise` once so many milliseconds have passed; then nobody waits for it any longer, and a
 * fault of it that comes later is nobody's.
 */
export async function within<Result>(
  milliseconds: number,
  work: Promise<Result>,
  otherwise: Result,
): Promise<Result> {
  let late: NodeJS.Timeout | undefined;
  const waited = new Promise<Result>((done) => {
    late = setTimeout(() => done(otherwise), milliseconds);
  });
  try {
    return await Promise.race([work, waited]);
  } finally {
    clearTimeout(late);
  }
}
