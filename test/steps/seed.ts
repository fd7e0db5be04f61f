/** The seed of a run: drawn anew each time, or given as STEPS_SEED to walk a failed run again. */
export function seedOf(): number {
  const given = process.env['STEPS_SEED'];
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}
