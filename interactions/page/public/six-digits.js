// Sends the form at the sixth digit. A longer text is a recovery code: it gets room, and is sent by hand.
for (const input of document.querySelectorAll('[data-six-digits]')) {
  let sent = false;
  const look = () => {
    const typed = input.value.replaceAll(/[\s-]/g, '');
    input.toggleAttribute('data-long', typed.length > 6);
    if (/^\d{6}$/.test(typed)) input.value = typed;
    return typed;
  };
  input.addEventListener('input', (event) => {
    const complete = /^\d{6}$/.test(look());
    // Taking a digit away and typing another is a correction; the person sends that herself.
    if (!complete || sent || event.inputType?.startsWith('delete')) return;
    sent = true;
    input.form?.requestSubmit();
  });
  look();
}
