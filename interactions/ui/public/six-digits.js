// Sends the form at the sixth digit. A longer text is a recovery code: it gets room, and is sent by hand.
for (const input of document.querySelectorAll('[data-six-digits]')) {
  let sent = false;
  const look = () => {
    const typed = input.value.replaceAll(/[\s-]/g, '');
    input.toggleAttribute('data-long', typed.length > 6);
    if (/^\d{6}$/.test(typed) && !input.value.includes('-')) input.value = typed;
    return typed;
  };
  input.addEventListener('input', (event) => {
    const hyphen = input.value.includes('-');
    const complete = /^\d{6}$/.test(look());
    // Taking a digit away and typing another is a correction; the person sends that herself.
    // A hyphen belongs to a recovery code, of which this may be the beginning.
    if (!complete || sent || hyphen || event.inputType?.startsWith('delete')) return;
    sent = true;
    input.form?.requestSubmit();
  });
  // Back from the next page, the browser may show this one as it was left.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) sent = false;
  });
  look();
}
