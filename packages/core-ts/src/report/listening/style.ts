export const listeningStyle = `
.listening .query { font-size: 1.35rem; margin: 0.75rem 0 1rem; font-weight: 600; }
.listening .clip { border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.75rem 1rem; margin: 0.75rem 0; }
.listening .clip h3 { margin: 0 0 0.5rem; font-size: 1rem; }
.listening .row { display: flex; gap: 1rem; align-items: center; flex-wrap: wrap; }
.listening button { font: inherit; padding: 0.5rem 1rem; border-radius: 0.4rem; border: 1px solid var(--line); background: transparent; color: inherit; cursor: pointer; }
.listening button.main { background: var(--series-1); color: #fff; border-color: transparent; }
.listening button:disabled { opacity: 0.5; cursor: not-allowed; }
.listening :focus-visible { outline: 3px solid var(--series-1); outline-offset: 2px; }
.listening input[type=range] { flex: 1 1 12rem; min-width: 10rem; }
.listening input[type=number] { width: 5rem; font: inherit; }
.listening .ends { display: flex; justify-content: space-between; color: var(--muted); font-size: 0.85rem; }
.listening progress { width: 100%; }
.listening .status { min-height: 1.5em; color: var(--muted); }
.listening textarea { width: 100%; min-height: 10rem; font-family: ui-monospace, monospace; }
`
