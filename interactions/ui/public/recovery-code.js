// Three ways to keep the code. Without this script the page says how to do it by hand.
const code = document.querySelector('[data-recovery-code]');
const ways = document.querySelector('[data-keep]');

function download() {
  const address = URL.createObjectURL(new Blob([`${ways.dataset.keep}\n`], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = ways.dataset.fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

function select() {
  const range = document.createRange();
  range.selectNodeContents(code);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(code.dataset.recoveryCode);
    button.querySelector('span').textContent = button.dataset.done;
  } catch {
    // The clipboard may be closed to us: then the code stands selected, ready for the keyboard.
    select();
  }
}

const deeds = { copy, download, print: () => window.print() };

ways?.addEventListener('click', (event) => {
  const button = event.target.closest('[data-keep-by]');
  if (button) void deeds[button.dataset.keepBy](button);
});

if (ways) {
  ways.hidden = false;
  document.querySelector('[data-without-script]').hidden = true;
}
