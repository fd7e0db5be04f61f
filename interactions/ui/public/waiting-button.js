// One press, one request: the pressed button says that it waits, and a second press does nothing.
const waiting = new WeakSet();

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.hasAttribute('data-stays')) return;
  if (waiting.has(form)) {
    event.preventDefault();
    return;
  }
  waiting.add(form);
  const button = event.submitter ?? form.querySelector('button[type=submit]');
  // Not `disabled`: that would drop the button's name and value from the form, and lose the focus.
  button?.setAttribute('aria-disabled', 'true');
});

// Back from the next page, the browser may show this one as it was left.
window.addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  for (const form of document.forms) waiting.delete(form);
  for (const button of document.querySelectorAll('button[aria-disabled]')) {
    button.removeAttribute('aria-disabled');
  }
});
