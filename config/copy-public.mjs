// The build's second half: files that pages refer to stand beside the compiled code, where it looks for them.
import { cpSync, readdirSync } from 'node:fs';

cpSync('interactions/ui/public', 'dist/interactions/ui/public', { recursive: true });
for (const file of readdirSync('autopay').filter((name) => name.endsWith('.css'))) {
  cpSync(`autopay/${file}`, `dist/autopay/${file}`);
}
