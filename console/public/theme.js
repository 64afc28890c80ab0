// Sets the theme before the first paint, so that a dark page never flashes white.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('sandglass.theme');
  } catch (error) {
    chosen = null; // storage may be forbidden; the system's theme is used then
  }
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('theme-mode', dark ? 'dark' : 'light');
})();
