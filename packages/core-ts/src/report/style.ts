/** Style of every page. Colours have names, so that charts and blocks of one's own can use them and follow light and dark. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1b1f24; --muted: #59636e; --line: #d8dee4; --soft: #f4f6f8; --link: #0a58a8;
  --good: #1a7f37; --bad: #b42318;
  --series-1: #0072b2; --series-2: #d55e00; --series-3: #00795a; --series-4: #b0508f;
  --series-5: #8a6d00; --series-6: #3a8fc4; --series-7: #59636e; --series-8: #6f42c1;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #0f1318; --text: #e6eaef; --muted: #9aa5b1; --line: #303841; --soft: #181e25; --link: #7ab8f5;
    --good: #4cc38a; --bad: #ff8b80;
    --series-1: #56b4e9; --series-2: #ff9248; --series-3: #2ec4a0; --series-4: #e08cc4;
    --series-5: #e6c84a; --series-6: #9cc9ff; --series-7: #aab4bf; --series-8: #b79cf0;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 2.5rem 0 0.6rem; padding-top: 0.6rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 1.8rem 0 0.4rem; }
h4, h5, h6 { font-size: 1rem; margin: 1.4rem 0 0.4rem; }
p, ul, ol, dl { margin: 0.6rem 0; }
a { color: var(--link); }
code, pre { font-family: ui-monospace, monospace; font-size: 0.88em; background: var(--soft); border-radius: 4px; }
code { padding: 0.1em 0.3em; }
pre { padding: 0.7rem 0.9rem; overflow-x: auto; }
.summary { font-size: 1.1rem; }
.note, footer, figcaption + .note { color: var(--muted); font-size: 0.9rem; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; }
dt { font-weight: 600; } dd { margin: 0 0 0.5rem 0; }
figure { margin: 1.4rem 0; }
figcaption { font-weight: 600; margin-bottom: 0.4rem; }
figure svg { display: block; max-width: 100%; height: auto; }
figure .narrow { display: none; }
.table { overflow-x: auto; margin: 1rem 0; }
.table:focus-visible, summary:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; min-width: min(100%, 20rem); }
caption { text-align: left; color: var(--muted); padding: 0.2rem 0; }
th, td { padding: 0.3rem 0.7rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: normal; }
tbody th { min-width: 8.5rem; }
thead th { color: var(--muted); vertical-align: bottom; }
th.left, td.left { text-align: left; } th.right, td.right { text-align: right; white-space: nowrap; }
details { margin: 0.6rem 0; } summary { cursor: pointer; color: var(--muted); font-size: 0.9rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
/* Wide tables reach into the margin before they scroll. */
@media screen and (min-width: 50rem) {
  .table { width: max-content; min-width: 100%; max-width: calc(50vw + 20rem); }
}
@media screen and (max-width: 44rem) {
  main { padding: 1rem 1rem 3rem; }
  tbody th { min-width: 5rem; }
  th, td { padding-right: 0.5rem; }
  figure .wide { display: none; }
  figure .narrow { display: block; }
}
@media print {
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  h2 { break-after: avoid; } h3, h4 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  .table { overflow: visible; }
  table { font-size: 8pt; }
  th, td { padding-right: 0.4rem; }
  tbody th { min-width: 0; }
  details:not([open]) { display: none; }
}
`.trim()
