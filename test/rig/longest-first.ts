/** The order of the test files: what takes long begins first, so that no worker ends up with it alone. */
import { statSync } from 'node:fs';

interface TestFile {
  path: string;
}

/** Files that drive a browser, start programs or wait for time-outs; the others take a few seconds each. */
const long = [
  /\/browser\/accessibility/,
  /\/(browser|storage)\//,
  /\/(command-line|new-phone|races|steps)\//,
];

const rank = ({ path }: TestFile) => {
  const place = long.findIndex((pattern) => pattern.test(path));
  return place < 0 ? long.length : place;
};

/** What jest asks for an order. */
export default class LongestFirst {
  sort<File extends TestFile>(files: readonly File[]): File[] {
    const size = new Map(files.map((file) => [file, statSync(file.path).size]));
    return files.toSorted(
      (one, other) => rank(one) - rank(other) || (size.get(other) ?? 0) - (size.get(one) ?? 0),
    );
  }
  shard<File extends TestFile>(files: readonly File[], { shardIndex = 1, shardCount = 1 }): File[] {
    return files.filter((_file, place) => place % shardCount === shardIndex - 1);
  }
  allFailedTests(): never {
    throw new Error('nobody keeps what failed last time');
  }
  cacheResults(): void {}
}
