/** Part of the page's script: faults on demand. */
export const FAULTS: string = String.raw`
let faultsShown = '';

function showFaults(faults) {
  const text = JSON.stringify(faults);
  if (text === faultsShown) return;
  faultsShown = text;
  const active = faults.filter(({ left }) => left !== 0).length;
  $('faults-toggle').lastChild.textContent = active > 0 ? ' ' + active : '';
  $('faults-toggle').classList.toggle('hot', active > 0);
  $('faults').replaceChildren(...faults.map(({ rule, left }) => {
    const item = el('li', left === 0 ? 'spent' : '');
    item.append(el('code', '', ruleText(rule)), left === null ? '' : el('small', '', left === 0 ? 'used up' : left + ' left'));
    return item;
  }));
  $('no-faults').hidden = faults.length > 0;
  $('clear-faults').disabled = faults.length === 0;
}
// As it would be written on the command line.
function ruleText({ match, ...rule }) {
  const names = { retryAfter: 'retry-after', latencyAt: 'at' };
  const parts = Object.entries(rule).map(([name, value]) =>
    name === 'latencyMs' ? 'latency=' + value + 'ms' : (names[name] || name) + '=' + value);
  return [...parts, ...Object.entries(match || {}).map(([name, value]) => name + '=' + value)].join(',');
}
async function addFault(rule) {
  const named = view.destination === null || /(^|,)\s*destination=/.test(rule) ? rule : rule + ',destination=' + view.destination;
  showFaults((await control('POST', 'faults', { rule: named })).faults);
  say('Fault added: ' + named);
}
for (const node of document.querySelectorAll('button[data-fault]'))
  node.addEventListener('click', attempt(() => addFault(node.dataset.fault)));
$('fault-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void attempt(async () => {
    await addFault($('fault').value.trim());
    $('fault').value = '';
  })();
});
$('clear-faults').addEventListener('click', attempt(async () => {
  showFaults((await control('DELETE', 'faults')).faults);
  say('No faults any more.');
}));
`;
