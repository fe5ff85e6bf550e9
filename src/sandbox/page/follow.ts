/** Part of the page's script: what is looked at, and the stream of what changes. */
export const FOLLOW: string = String.raw`
let asked = 0;
// Chooses what is looked at. The newest 200 that fit come from the server, which looks through everything.
async function look(change) {
  Object.assign(view, change);
  const mine = (asked += 1);
  if (latest) showTotals(latest);
  const query = new URLSearchParams({ q: view.text, ...(view.destination === null ? {} : { destination: view.destination }) });
  const found = await control('GET', 'search?' + query);
  if (mine === asked) fill(found);
}
let typing;
$('filter').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(attempt(() => look({ text: $('filter').value.trim().toLowerCase() })), 150);
});
document.addEventListener('keydown', (event) => {
  const writing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
  if (event.key === '/' && !writing) {
    event.preventDefault();
    $('filter').focus();
  }
});
function applyLine(line) {
  const news = JSON.parse(line, exact);
  showTotals(news);
  if (news.type === 'hello') {
    rate.at = news.counters.calls;
    if (view.destination === null && view.text === '') fill(news);
    else void attempt(() => look({}))();
    return;
  }
  for (const change of news.changes) applyChange(change);
  for (const call of news.calls) addNewCall(call);
  for (const event of news.events) addEvent(event);
  for (const id of ['contacts', 'events', 'calls']) trim($(id));
  showEmpty();
}
function link(state, text) {
  $('link').className = state;
  $('link').textContent = text;
}
async function follow() {
  const answer = await fetch('/_sandbox/events', { headers: { Authorization: 'Bearer ' + key } });
  if (answer.status === 401) {
    link('lost', 'The key in this address is missing or wrong: open the address that the sandbox printed.');
    return false;
  }
  link('live', 'live');
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return true;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line !== '') applyLine(line);
  }
}
async function start() {
  for (;;) {
    try {
      if (!(await follow())) return;
    } catch { /* The sandbox stopped: try again below. */ }
    link('lost', 'no connection, trying again');
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
void start();
`;
