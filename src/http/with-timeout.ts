/**
 * What `work` answers, or `otherwise` once so many milliseconds have passed; then nobody waits for it any longer, and a
 * fault of it that comes later is nobody's.
 */
export async function withTimeout<Result>(
  timeoutMs: number,
  work: Promise<Result>,
  fallback: Result,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<Result>((resolve) => {
    timer = setTimeout(() => resolve(fallback), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
