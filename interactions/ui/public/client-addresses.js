// Tells of each address, while it is typed, whether it may be registered. The server judges, here and at the end.
const pause = 400;

async function check(field, result) {
  const form = field.form;
  const body = new URLSearchParams({
    token: form.elements.token.value,
    use: field.dataset.checkAddress,
    type: form.dataset.clientType,
    addresses: field.value,
  });
  const answer = await fetch(form.dataset.checkUrl, { method: 'POST', body, redirect: 'error' }).catch(
    () => undefined,
  );
  if (!answer?.ok) return;
  const { lines } = await answer.json();
  result.replaceChildren(
    ...lines.map(({ address, code, message }) => {
      const line = document.createElement('li');
      if (code) line.dataset.checked = code;
      line.textContent = `${address} – ${message}`;
      return line;
    }),
  );
}

for (const field of document.querySelectorAll('[data-check-address]')) {
  const result = document.createElement('ul');
  result.className = 'checked help';
  result.setAttribute('aria-live', 'polite');
  field.after(result);
  let timer;
  field.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => void check(field, result), pause);
  });
}
