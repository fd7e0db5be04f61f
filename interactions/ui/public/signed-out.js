// Asks now and then how it stands with each application, as long as one has not answered. Without this script the
// person asks, by the link; it comes back when the script has stopped asking.
const pauses = [500, 1000, 2000, 4000, 8000];
const mostTurns = 60;

const results = document.querySelector('[data-results]');
const again = document.querySelector('[data-again]');

async function latest() {
  const answer = await fetch(location.href, { redirect: 'error', cache: 'no-store' });
  if (!answer.ok) return undefined;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  return page.querySelector('[data-results]') ?? undefined;
}

function show(found) {
  // Said aloud only when there is something new to say.
  if (found.innerHTML !== results.innerHTML) results.replaceChildren(...found.childNodes);
  if (!found.hasAttribute('data-open')) results.removeAttribute('data-open');
}

async function follow(turn) {
  if (!results.hasAttribute('data-open')) return;
  if (turn === mostTurns) {
    again.hidden = false;
    return;
  }
  const found = await latest().catch(() => undefined);
  if (found) show(found);
  setTimeout(() => void follow(turn + 1), pauses[Math.min(turn + 1, pauses.length - 1)]);
}

if (results.hasAttribute('data-open')) {
  again.hidden = true;
  setTimeout(() => void follow(0), pauses[0]);
}

// Once the pages of applications have been opened the way goes on, or after three seconds; not for whoever comes back.
const onward = document.querySelector('[data-onward]');
const [{ type } = {}] = performance.getEntriesByType('navigation');
if (onward && type === 'navigate') {
  const late = new Promise((done) => setTimeout(done, 3000));
  const loaded = new Promise((done) => {
    if (document.readyState === 'complete') done();
    else addEventListener('load', done);
  });
  void Promise.race([loaded, late]).then(() => location.assign(onward.href));
}
