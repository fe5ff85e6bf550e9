/** Part of the page's script: destinations to choose from, and totals. */
export const TOTALS: string = String.raw`
let destinations = [];
let latest = null;
const rate = { calls: 0, at: 0 };

function count(byStatus, test) {
  let sum = 0;
  for (const [status, n] of Object.entries(byStatus)) if (test(Number(status))) sum += n;
  return sum;
}
function tile(id, value, hot) {
  $(id).textContent = value.toLocaleString();
  $(id).parentElement.classList.toggle('hot', Boolean(hot && value > 0));
}
function showTotals(news) {
  latest = news;
  destinations = news.destinations;
  showTabs();
  showFaults(news.faults);
  const shown = destinations.filter((one) => view.destination === null || one.id === view.destination);
  const none = { calls: 0, byStatus: {} };
  const { calls, byStatus: by } = view.destination === null ? news.counters : news.counters.byDestination[view.destination] || none;
  tile('n-contacts', shown.reduce((sum, one) => sum + one.contacts, 0));
  tile('n-events', shown.reduce((sum, one) => sum + one.events, 0));
  tile('n-calls', calls);
  tile('n-ok', count(by, (s) => s >= 200 && s < 300));
  tile('n-client', count(by, (s) => s >= 300 && s < 500 && s !== 429));
  tile('n-limited', count(by, (s) => s === 429));
  tile('n-server', count(by, (s) => s >= 500), true);
  tile('n-dropped', count(by, (s) => s === 0), true);
  rate.calls = news.counters.calls;
}
function showTabs() {
  $('tabs').hidden = destinations.length < 2;
  document.body.classList.toggle('one', destinations.length < 2 || view.destination !== null);
  const wanted = [null, ...destinations.map((one) => one.id)];
  const nodes = [...$('tabs').children];
  if (nodes.length !== wanted.length) $('tabs').replaceChildren(...wanted.map((id) => {
    const node = button('tab', id === null ? 'All' : id, () => look({ destination: id }));
    node.append(el('b'));
    return node;
  }));
  wanted.forEach((id, at) => {
    const node = $('tabs').children[at];
    const n = id === null ? destinations.reduce((sum, one) => sum + one.contacts, 0) : destinations[at - 1].contacts;
    node.lastChild.textContent = n.toLocaleString();
    node.setAttribute('aria-pressed', String(id === view.destination));
  });
}
setInterval(() => {
  tile('n-rate', Math.max(0, rate.calls - rate.at));
  rate.at = rate.calls;
}, 1000);
`;
