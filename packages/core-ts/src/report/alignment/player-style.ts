/** Style of the alignment player; colours are those of the page. */
export const playerStyle = `
.al-caption { font-size: 1.1rem; }
.al-phrase { color: var(--c); font-weight: 600; text-decoration: underline 2px; text-underline-offset: 3px; }
.al audio { width: 100%; display: block; margin: 0.6rem 0; }
.al-time { position: relative; cursor: pointer; touch-action: none; user-select: none; -webkit-user-select: none; }
.al-time:focus-visible { outline: 2px solid var(--link); outline-offset: 3px; }
.al canvas { display: block; width: 100%; }
.al-spectrum { height: 7rem; background: #000; }
/* Words stand above the play head, which would cross out a letter. */
.al-ticks, .al-name { position: relative; z-index: 1; background: var(--page); }
.al-ticks { height: 1.2rem; font-size: 0.75rem; color: var(--muted); font-variant-numeric: tabular-nums; }
.al-ticks span { position: absolute; transform: translateX(-50%); }
.al-ticks span:first-child { transform: none; }
.al-ticks span:last-child { transform: translateX(-100%); }
.al-name { color: var(--c); font-size: 0.85rem; padding-top: 0.35rem; }
.al-lane { position: relative; height: 1.6rem; background: var(--soft); color: var(--c); }
.al-lane canvas { height: 100%; }
.al-segment { position: absolute; top: 0; bottom: 0; border: 2px solid var(--c); border-radius: 3px; min-width: 3px; }
.al-head { position: absolute; top: 0; bottom: 0; left: 0; width: 2px; background: var(--text); box-shadow: 0 0 0 1px var(--page); pointer-events: none; }
.al-settings { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 0.8rem; margin: 0.8rem 0 0.3rem; }
.al-settings input { flex: 1 1 8rem; accent-color: var(--link); }
.al-list { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.4rem; }
.al-list button { font: inherit; font-size: 0.85rem; color: var(--text); background: var(--soft); border: 1px solid var(--line); border-left: 4px solid var(--c); border-radius: 4px; padding: 0.25rem 0.6rem; cursor: pointer; }
.al-list button:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media print { .al audio, .al-settings, .al-head { display: none; } }
`.trim()
