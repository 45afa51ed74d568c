/** Pictures and passages: the part of the style sheet for evidence that shows records or triggers. */
export const evidenceStyle = `
.pictures { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 1.25rem 1.5rem; align-items: flex-start; }
.pictures li { min-width: 0; max-width: 100%; }
.pictures.few li { width: 13.5rem; }
.pictures.four li { width: 12rem; }
.pictures.several li { width: 9rem; }
.pictures.many li { width: 7rem; }
.shot { position: relative; display: block; width: fit-content; max-width: 100%; }
.shot img { display: block; max-width: 100%; height: auto; background: var(--sunk); box-shadow: 0 0 0 1px var(--strong-line); border-radius: 1px; image-rendering: pixelated; }
.shot.reduced img { image-rendering: auto; }
.shot svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.shot rect { fill: none; stroke-width: 2.5; }
.shot .halo { stroke: #ffffff; stroke-width: 5; opacity: 0.85; }
.shot .s-mark { stroke: #c8281d; }
.pictures .caption { display: flex; gap: 0.5rem; align-items: flex-start; margin-top: 0.5rem; font-size: 0.8125rem; line-height: 1.4; color: var(--soft); overflow-wrap: anywhere; }
.pictures .caption img { flex: none; margin-top: 0.15rem; max-width: 45%; height: auto; object-fit: contain; image-rendering: pixelated; box-shadow: 0 0 0 1px var(--line); }
.pictures .caption > span { min-width: 0; }
.passages { list-style: none; padding: 0; display: grid; gap: 1rem; }
.passages .of { display: flex; flex-wrap: wrap; gap: 0.1rem 1.1rem; font-size: 0.8125rem; color: var(--muted); overflow-wrap: anywhere; }
.passages .of > bdi { font-weight: 550; color: var(--soft); }
.passages blockquote { margin: 0.25rem 0 0; padding: 0.1rem 0 0.1rem 1rem; border-left: 3px solid var(--line); font-size: 0.9375rem; line-height: 1.6; max-width: 46rem; overflow-wrap: anywhere; }
mark { background: var(--marker); color: var(--ink); padding: 0.06em 0.14em; margin: 0 0.02em; border-radius: 2px; box-decoration-break: clone; -webkit-box-decoration-break: clone; box-shadow: inset 0 -0.11em var(--marker-line); }
mark::before, mark::after { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
mark::before { content: " [marked: "; }
mark::after { content: " end of mark] "; }
.passages i { font-style: normal; }
.passages .hidden { font: 0.8em/1.4 ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "Liberation Mono", monospace; color: var(--red); background: var(--red-soft); border-radius: 3px; padding: 0.1em 0.25em; }
.passages .break, .passages .gap { color: var(--muted); }
.passages mark .break { color: inherit; }
.passages .gap { padding: 0 0.2em; }`.trim()
