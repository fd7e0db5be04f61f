for (const button of document.querySelectorAll('[data-show-password]')) {
  const input = document.getElementById(button.dataset.showPassword);
  const word = button.querySelector('span');
  const show = word.textContent;

  const set = (shown) => {
    input.type = shown ? 'text' : 'password';
    word.textContent = shown ? button.dataset.hide : show;
  };

  button.addEventListener('click', () => {
    set(input.type === 'password');
    input.focus();
  });
  // Hidden again before it is sent, so that browsers keep it as a password and not as a text.
  input.form?.addEventListener('submit', () => set(false));
  button.hidden = false;
}
