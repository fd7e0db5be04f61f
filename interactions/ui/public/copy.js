// Buttons that copy the text beside them. Without this script one click on the text selects all of it.
function select(text) {
  const range = document.createRange();
  range.selectNodeContents(text);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

async function copy(button) {
  const text = button.parentElement.querySelector('.copyable');
  const name = button.textContent;
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = button.dataset.done;
    setTimeout(() => (button.textContent = name), 2000);
  } catch {
    // The clipboard may be closed to us: then the text stands selected, ready for the keyboard.
    select(text);
  }
}

for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false;
  button.addEventListener('click', () => void copy(button));
}
