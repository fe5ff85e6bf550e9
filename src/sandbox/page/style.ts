/** The page's style sheet. */
export const STYLE: string = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--line:#e3e6eb;--text:#1b2330;--dim:#67707f;--accent:#2456e6;--on:#fff;
--ok:#12805c;--okbg:#dff5ec;--warn:#9a5b00;--warnbg:#fdf0d5;--bad:#b3261e;--badbg:#fde4e1;--flash:#fff3b8}
@media (prefers-color-scheme:dark){:root{--bg:#0f1319;--card:#171d26;--line:#28313d;--text:#e4e9f0;--dim:#8b97a8;
--accent:#7ea2ff;--on:#0f1319;--ok:#5fd6a8;--okbg:#123528;--warn:#f0bf6b;--warnbg:#3a2c10;--bad:#ff8d84;--badbg:#431b18;--flash:#4a4212}}
*{box-sizing:border-box}
html,body{height:100%;margin:0}
body{background:var(--bg);color:var(--text);font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
display:flex;flex-direction:column}
header{display:flex;flex-wrap:wrap;align-items:center;gap:12px 20px;padding:14px 20px 6px}
h1{font-size:17px;margin:0;letter-spacing:-.01em}
#link{font-size:12px;color:var(--dim);display:inline-flex;align-items:center;gap:6px}
#link::before{content:"";width:8px;height:8px;border-radius:50%;background:var(--warn)}
#link.live::before{background:var(--ok)}
#link.lost::before{background:var(--bad)}
button{font:inherit;font-size:13px;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:6px 11px;cursor:pointer}
button:hover:not(:disabled){border-color:var(--accent)}
button:disabled{color:var(--dim);cursor:default}
:is(button,input,select,.scroll):focus-visible{outline:2px solid var(--accent);outline-offset:1px}
.tools{display:flex;gap:8px}
.tools b{color:var(--bad)}
button[aria-expanded=true]:not(.open){border-color:var(--accent);color:var(--accent)}
#faults-toggle.hot{border-color:var(--bad)}
.panel{margin:6px 20px 8px;padding:12px 14px;display:block;flex:none;overflow:visible}
.panel p{margin:0 0 10px;color:var(--dim);font-size:13px}
.panel ul{list-style:none;margin:10px 0;padding:0}
.panel li{display:flex;gap:10px;align-items:center;padding:3px 0}
.panel li small{color:var(--dim)}
.panel li.spent code{text-decoration:line-through;color:var(--dim)}
.panel form{display:flex;flex-wrap:wrap;gap:8px;margin-top:10px}
.panel :is(input,select){padding:6px 10px;border:1px solid var(--line);border-radius:8px;background:var(--bg);color:inherit;font:inherit;font-size:13px}
.panel input{flex:1;min-width:180px}
.acts{display:flex;flex-wrap:wrap;gap:8px}
#said{margin:0;padding:0 20px;font-size:13px;color:var(--ok)}
#said:not(:empty){padding-bottom:6px}
#said.bad{color:var(--bad)}
#tabs{display:flex;flex-wrap:wrap;gap:6px;padding:2px 20px 4px}
.tab{border-radius:20px;padding:4px 12px}
.tab b{margin-left:7px;font-weight:500;color:var(--dim);font-variant-numeric:tabular-nums}
.tab[aria-pressed=true]{background:var(--accent);border-color:var(--accent);color:var(--on)}
.tab[aria-pressed=true] b{color:inherit;opacity:.8}
#filter{margin-left:auto;width:min(300px,100%);padding:7px 11px;border:1px solid var(--line);border-radius:8px;
background:var(--card);color:inherit;font:inherit}
#counters{display:grid;grid-template-columns:repeat(auto-fit,minmax(104px,1fr));gap:10px;padding:8px 20px 12px}
#counters div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:8px 12px}
#counters b{display:block;font-size:21px;font-weight:650;font-variant-numeric:tabular-nums;letter-spacing:-.02em}
#counters span{color:var(--dim);font-size:12px}
#counters .hot b{color:var(--bad)}
main{flex:1;min-height:0;display:grid;grid-template-columns:minmax(0,1.35fr) minmax(0,1fr);gap:14px;padding:0 20px 20px}
#side{display:flex;flex-direction:column;gap:14px;min-height:0}
#side section{flex:1}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;display:flex;flex-direction:column;
min-height:0;overflow:hidden}
h2{font-size:13px;margin:0;padding:10px 14px;border-bottom:1px solid var(--line);display:flex;gap:8px;align-items:baseline}
h2 small{font-weight:400;color:var(--dim)}
.scroll{overflow:auto;flex:1;scrollbar-width:thin;scrollbar-color:var(--line) transparent}
table{border-collapse:collapse;width:100%}
th{position:sticky;top:0;background:var(--card);text-align:left;font-size:11.5px;font-weight:550;color:var(--dim);
padding:6px 8px;border-bottom:1px solid var(--line);white-space:nowrap;z-index:1}
td{padding:6px 8px;border-bottom:1px solid var(--line);vertical-align:top}
th:first-child,td:first-child{padding-left:14px}
th:last-child,td:last-child{padding-right:14px}
.who{display:block;font-weight:400;font-size:12.5px;color:var(--dim)}
td.mail{font-weight:550;overflow-wrap:anywhere;min-width:170px}
td.fields{min-width:180px}
td.lists .chip{white-space:nowrap}
td.time,td.num{white-space:nowrap;color:var(--dim);font-variant-numeric:tabular-nums;font-size:12.5px}
td.num,th.num{text-align:right}
td.what{min-width:190px}
.path{font:12px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
td.what i{display:block;font-style:normal;color:var(--warn);font-size:12px}
button.open{all:unset;cursor:pointer;overflow-wrap:anywhere}
button.open::before{content:"";display:inline-block;border:4px solid transparent;border-left:5px solid var(--dim);border-right:0;
margin-right:6px;transition:transform .1s}
button.open[aria-expanded=true]::before{transform:rotate(90deg)}
button.open:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
.dest{display:inline-block;vertical-align:1px;padding:0 6px;border-radius:5px;font-size:11px;font-weight:550;color:var(--hue);
border:1px solid color-mix(in srgb,var(--hue) 45%,transparent)}
.dest[data-hue="0"]{--hue:light-dark(#0f6f8f,#67c7e6)}.dest[data-hue="1"]{--hue:light-dark(#7a3fb0,#c79bf0)}
.dest[data-hue="2"]{--hue:light-dark(#a04f00,#f0a860)}.dest[data-hue="3"]{--hue:light-dark(#18744a,#66d0a0)}
.dest[data-hue="4"]{--hue:light-dark(#b02a63,#f48ab4)}.dest[data-hue="5"]{--hue:light-dark(#4a5a1f,#b9cc78)}
body.one .dest{display:none}
tr.detail>td{background:var(--bg);padding:10px 14px 14px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:6px 14px;margin:0}
dt{color:var(--dim);font-size:12.5px}
dd{margin:0;overflow-wrap:anywhere}
.history{margin:0;padding-left:18px}
.history .time{color:var(--dim);font-size:12.5px;font-variant-numeric:tabular-nums}
code,pre{font:12px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{margin:4px 0;padding:8px 10px;background:var(--card);border:1px solid var(--line);border-radius:8px;white-space:pre-wrap;
overflow-wrap:anywhere;max-height:320px;overflow:auto}
pre.headers{color:var(--dim)}
.message h3{font-size:12px;margin:6px 0 2px}
.message .none{color:var(--dim);font-size:12.5px;margin:2px 0}
.chip{white-space:nowrap}
td.time,td.num{white-space:nowrap;color:var(--dim);font-variant-numeric:tabular-nums;font-size:12.5px}
td.num,th.num{text-align:right}
td.path{min-width:190px;font:12px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
td.path i{display:block;font-style:normal;color:var(--warn)}
.chip{display:inline-block;max-width:100%;margin:1px 4px 1px 0;padding:0 6px;border:1px solid var(--line);border-radius:5px;
font-size:12px;overflow-wrap:anywhere}
.chip em{font-style:normal;color:var(--dim);margin-right:4px}
.pill{display:inline-block;padding:0 8px;border-radius:20px;font-size:12px;font-weight:550;white-space:nowrap;
color:var(--ok);background:var(--okbg)}
.pill.warn{color:var(--warn);background:var(--warnbg)}
.pill.bad{color:var(--bad);background:var(--badbg)}
.verb{font:600 11.5px/1.7 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--accent)}
tr.flash td{animation:flash 1.4s ease-out}
tr.gone td{color:var(--dim);text-decoration:line-through}
@keyframes flash{from{background:var(--flash)}}
@media (prefers-reduced-motion:reduce){tr.flash td{animation:none}}
.empty{padding:34px 20px;text-align:center;color:var(--dim)}
[hidden]{display:none!important}
@media (max-width:900px){#filter{margin-left:0;width:100%}body{height:auto}main,#side{display:block}section{margin-bottom:14px}.scroll{max-height:60vh}}
`;
