/** Part of the page's script: panels, receivers of webhooks, and the state as a whole. */
export const TOOLS: string = String.raw`
for (const node of document.querySelectorAll('button[aria-controls]')) {
  node.addEventListener('click', () => {
    const open = node.getAttribute('aria-expanded') !== 'true';
    for (const other of document.querySelectorAll('button[aria-controls]')) {
      const shown = open && other === node;
      other.setAttribute('aria-expanded', String(shown));
      $(other.getAttribute('aria-controls')).hidden = !shown;
    }
    if (open && node.id === 'webhooks-toggle') void attempt(showReceivers)();
  });
}
async function showReceivers(answer) {
  const { receivers } = answer || (await control('GET', 'receivers'));
  const able = destinations.filter((one) => one.webhooks).map((one) => one.id);
  const chosen = $('receiver-destination').value || view.destination;
  $('receiver-destination').replaceChildren(...able.map((id) => {
    const option = el('option', '', id);
    option.selected = id === chosen;
    return option;
  }));
  $('receivers').replaceChildren(...receivers.map(({ destination, url }) => {
    const item = el('li');
    item.append(badge(destination), el('code', '', url), button('', 'Remove', attempt(async () =>
      showReceivers(await control('DELETE', 'receivers/' + encodeURIComponent(destination))))));
    return item;
  }));
}
$('receiver-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void attempt(async () => {
    const input = { destination: $('receiver-destination').value, url: $('receiver-url').value.trim(), secret: $('receiver-secret').value };
    await showReceivers(await control('POST', 'receivers', input));
    $('receiver-secret').value = '';
    say('Opt-outs at ' + input.destination + ' are told to ' + input.url + '.');
  })();
});
$('download').addEventListener('click', attempt(async () => {
  const answer = await fetch('/_sandbox/state', { headers: { Authorization: 'Bearer ' + key } });
  if (!answer.ok) throw new Error('HTTP ' + answer.status);
  const link = el('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = 'rollcall-sandbox.json';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  say('State saved as rollcall-sandbox.json.');
}));
$('load').addEventListener('click', () => $('file').click());
$('file').addEventListener('change', attempt(async () => {
  const [file] = $('file').files;
  $('file').value = '';
  if (!file) return;
  await control('PUT', 'state', await file.text());
  say('State loaded from ' + file.name + '.');
}));
$('reset').addEventListener('click', attempt(async () => {
  await control('POST', 'reset');
  say('Everything is gone; faults stay.');
}));
`;
