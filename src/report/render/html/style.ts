import { evidenceStyle } from './evidence-style.ts'
import { palette } from './palette.ts'
import { printStyle } from './print-style.ts'

/** The style sheet of `report.html`: no font, image or script from anywhere; light, dark, phone and paper. */
export const style = `
${palette}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; font-feature-settings: "cv11" 1; overflow-wrap: break-word;
}
.page { max-width: 62rem; margin: 0 auto; padding: 0 1.5rem 5rem; }
a { color: var(--link); text-underline-offset: 0.18em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--surface); padding: 0.5rem 1rem; z-index: 2; }
h1, h2, h3, h4 { line-height: 1.2; margin: 0; text-wrap: balance; letter-spacing: -0.012em; }
p, ul, ol, dl, figure, table { margin: 0; }
code, .mono { font: 0.86em/1.5 ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "Liberation Mono", monospace; font-variant-ligatures: none; }
.muted { color: var(--muted); }
.small { font-size: 0.875rem; }
.nowrap { white-space: nowrap; }

.masthead { display: flex; flex-wrap: wrap; gap: 0.25rem 2rem; justify-content: space-between; align-items: baseline; padding: 1.75rem 0 1.25rem; color: var(--muted); font-size: 0.875rem; }
.masthead strong { color: var(--ink); font-weight: 600; }

.verdict { border: 1px solid var(--line); border-top: 6px solid var(--tone); border-radius: 10px; background: var(--surface); padding: 2rem 2.25rem 2.25rem; }
.verdict.failed { --tone: var(--red); --tone-soft: var(--red-soft); }
.verdict.passed { --tone: var(--green); --tone-soft: var(--green-soft); }
.verdict.incomplete, .verdict.nothing-audited { --tone: var(--amber); --tone-soft: var(--amber-soft); }
.stamp { display: inline-flex; align-items: center; gap: 0.6rem; color: var(--tone); font-weight: 700; font-size: 0.95rem; letter-spacing: 0.06em; text-transform: uppercase; }
.stamp svg { width: 1.5rem; height: 1.5rem; flex: none; }
.verdict h1 { font-size: clamp(1.6rem, 1.1rem + 2.2vw, 2.35rem); font-weight: 650; letter-spacing: -0.022em; margin: 0.8rem 0 0; max-width: 30ch; }
.verdict h1.long { font-size: clamp(1.2rem, 1rem + 0.9vw, 1.5rem); line-height: 1.3; max-width: 52ch; text-wrap: pretty; letter-spacing: -0.014em; }
.verdict .subject { margin-top: 0.6rem; color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1px; margin: 1.75rem 0 0; background: var(--line); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.figures div { background: var(--surface); padding: 0.8rem 1rem 0.85rem; }
.figures dt { color: var(--muted); font-size: 0.8125rem; }
.figures dd { margin: 0.1rem 0 0; font-size: 1.5rem; font-weight: 600; line-height: 1.2; letter-spacing: -0.015em; }
.figures dd small { font-size: 0.875rem; font-weight: 400; color: var(--muted); letter-spacing: 0; }
.answers { display: grid; grid-template-columns: 1fr 1fr; gap: 2.5rem; margin-top: 1.9rem; }
.answers.single { grid-template-columns: 1fr; }
.answers h2 { font-size: 0.8125rem; font-weight: 650; letter-spacing: 0.06em; text-transform: uppercase; color: var(--muted); margin-bottom: 0.7rem; }
.answers ul, .answers ol { padding: 0 0 0 1.25rem; display: grid; gap: 0.65rem; }
.answers li::marker { color: var(--tone); font-weight: 600; }
.answers li { padding-left: 0.2rem; }
.answers a { color: inherit; text-decoration-color: var(--strong-line); }
.answers .where { display: block; color: var(--muted); font-size: 0.875rem; }

nav { margin: 1.5rem 0 0; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.4rem 1.6rem; font-size: 0.9375rem; }

section.part { margin-top: 4.25rem; }
.part > h2 { font-size: 1.6rem; font-weight: 650; letter-spacing: -0.02em; }
.part > .lead { color: var(--soft); margin-top: 0.5rem; max-width: 44rem; }
.part h3 { font-size: 1.0625rem; font-weight: 650; margin: 2.25rem 0 0.75rem; }

.finding { margin-top: 1.75rem; border: 1px solid var(--line); border-radius: 10px; background: var(--surface); padding: 1.6rem 1.9rem 1.5rem; }
.finding.waived, .finding.known { background: none; border-style: dashed; }
.finding header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.4rem 0.9rem; font-size: 0.875rem; color: var(--muted); }
.finding h3 { font-size: 1.25rem; font-weight: 620; line-height: 1.35; margin: 0.6rem 0 0; max-width: 44rem; text-wrap: pretty; }
.badge { display: inline-block; font-size: 0.75rem; font-weight: 650; letter-spacing: 0.05em; text-transform: uppercase; padding: 0.12rem 0.55rem; border-radius: 99px; white-space: nowrap; color: var(--tone, var(--blue)); background: var(--tone-soft, var(--blue-soft)); }
.critical, .high, .status-failed { --tone: var(--red); --tone-soft: var(--red-soft); }
.medium { --tone: var(--amber); --tone-soft: var(--amber-soft); }
.low, .review { --tone: var(--blue); --tone-soft: var(--blue-soft); }
.status-ran { --tone: var(--green); --tone-soft: var(--green-soft); }
.status-not-applicable, .status-disabled { --tone: var(--muted); --tone-soft: var(--sunk); }
.facts { display: flex; flex-wrap: wrap; gap: 0.9rem 2.25rem; margin: 1.1rem 0 0; }
.facts dt { font-size: 0.8125rem; color: var(--muted); }
.facts dd { margin: 0; font-weight: 550; }
.action { margin-top: 1.4rem; padding: 0.9rem 1.1rem; background: var(--sunk); border-radius: 8px; }
.action b { font-weight: 650; }
.evidence { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 2rem 2.25rem; margin-top: 1.5rem; align-items: start; }
figure { min-width: 0; }
figure.wide { grid-column: 1 / -1; }
figcaption { font-weight: 600; font-size: 0.9375rem; margin-bottom: 0.7rem; text-wrap: balance; }
figure svg { display: block; max-width: 100%; height: auto; }
figure.wide svg { max-width: none; }
.legend { list-style: none; padding: 0; margin-top: 0.5rem; display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; font-size: 0.875rem; color: var(--soft); }
.legend i { display: inline-block; width: 0.8rem; height: 0.8rem; border-radius: 3px; margin-right: 0.45rem; vertical-align: -0.06rem; }
.legend .outline { border: 2.5px solid var(--red); }
.legend .dot { border-radius: 50%; opacity: 0.75; }
.legend .diamond { transform: rotate(45deg) scale(0.8); border-radius: 1px; }
.legend .mark { background: var(--red); }
${evidenceStyle}
.note { margin-top: 0.4rem; color: var(--muted); font-size: 0.875rem; }
details { margin-top: 0.75rem; font-size: 0.9375rem; }
summary { cursor: pointer; color: var(--muted); font-size: 0.875rem; padding: 0.2rem 0; }
summary:hover { color: var(--ink); }
.fine { margin-top: 1.3rem; padding-top: 0.9rem; border-top: 1px solid var(--line); font-size: 0.8125rem; color: var(--muted); display: grid; gap: 0.25rem; }
.fine code { overflow-wrap: anywhere; }

.scroll { overflow-x: auto; margin-top: 0.75rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; }
caption { text-align: left; color: var(--muted); font-size: 0.875rem; padding-bottom: 0.5rem; }
th, td { text-align: left; vertical-align: top; padding: 0.5rem 0.9rem 0.5rem 0; border-bottom: 1px solid var(--line); }
thead th { font-size: 0.8125rem; font-weight: 550; color: var(--muted); border-bottom-color: var(--strong-line); vertical-align: bottom; }
thead th bdi { overflow-wrap: normal; }
tbody th { font-weight: 550; }
th.n, td.n { text-align: right; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
th bdi, td bdi, dd bdi, li bdi, p bdi, h3, .answers li, .action, .legend bdi { overflow-wrap: anywhere; }
td code { overflow-wrap: anywhere; }
th code { white-space: nowrap; }
.scroll th:not(.n) { min-width: 6.25rem; }
.scroll td:not(.n) { min-width: 4.75rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0 3rem; align-items: start; }
.grid > div { min-width: 0; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
table.compact { font-size: 0.875rem; width: auto; min-width: 50%; }
table.compact th, table.compact td { padding-top: 0.3rem; padding-bottom: 0.3rem; }
table.compact th:not(:last-child), table.compact td:not(:last-child) { padding-right: 1.6rem; }

.records th[scope="row"] { min-width: 13rem; }
.records .n { width: 9rem; }
.records td, .records th { padding-top: 0.7rem; padding-bottom: 0.7rem; }
.records .excerpt { display: block; margin-top: 0.35rem; color: var(--soft); font-size: 0.875rem; max-width: 34rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.records img { display: block; width: 3.5rem; height: 3.5rem; object-fit: contain; border-radius: 6px; background: var(--sunk); image-rendering: pixelated; }
.change { display: inline-flex; flex-wrap: wrap; gap: 0.15rem 0.5rem; align-items: baseline; }
.change del { text-decoration-color: var(--red); text-decoration-thickness: 1px; color: var(--muted); }
.change ins { text-decoration: none; font-weight: 600; }
.score { display: inline-flex; align-items: center; gap: 0.6rem; }
.score svg { width: 3.5rem; height: 0.4rem; }

.where { display: block; color: var(--muted); font-size: 0.8125rem; font-weight: 400; overflow-wrap: anywhere; }
.part h4 { font-size: 0.9375rem; font-weight: 620; margin: 1.75rem 0 0.5rem; }
.spaced { margin-top: 0.9rem; }
.scroll + .notes { margin-top: 0.9rem; }
.signature + .signature { margin-top: 0.6rem; }
.bars { display: grid; gap: 0.5rem; margin-top: 0.75rem; }
.bars > div { display: grid; grid-template-columns: 5.5rem 1fr; gap: 1rem; align-items: center; font-size: 0.875rem; color: var(--soft); }
.bar { display: block; width: 100%; height: 0.95rem; border-radius: 4px; }
.groups td:nth-child(2) { width: 42%; min-width: 8rem; vertical-align: middle; }
.swatch { width: 0.8rem; height: 0.8rem; margin-right: 0.5rem; vertical-align: -0.08rem; }
.digest .rest { display: none; }
.digest::after { content: "\u2026"; }
.files .n { width: auto; }
.g-verified { fill: var(--green); } .g-mismatched { fill: var(--red); } .g-missing, .c-removed { fill: url(#hatch-red); } .g-unlisted, .c-altered { fill: var(--amber); } .g-weak-digest { fill: url(#hatch-amber); } .g-placeholder-digest { fill: url(#hatch-grey); } .g-no-digest { fill: var(--dot); } .c-kept { fill: var(--strong-line); } .c-added { fill: var(--blue); }
.h-ground-red { fill: var(--red-soft); } .h-line-red { fill: var(--red); } .h-ground-amber { fill: var(--amber-soft); } .h-line-amber { fill: var(--amber); } .h-ground-grey { fill: var(--sunk); } .h-line-grey { fill: var(--dot); }

table.sensitivity th { font-weight: 400; } table.sensitivity th b { font-weight: 620; }
.recall { display: block; margin: 0.35rem 0 0.2rem; }
.recall .all { fill: var(--sunk); } .recall .good { fill: var(--green); } .recall .part { fill: var(--amber); } .recall .poor { fill: var(--red); }
.blind { list-style: none; padding: 0; margin-top: 1rem; display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.1rem 2.5rem; }
.blind li { border-left: 3px solid var(--strong-line); padding-left: 1rem; }
.blind b { display: block; font-weight: 620; }
.blind span { color: var(--soft); font-size: 0.9375rem; }
section.part .scroll + p, section.part .scroll + .small { margin-top: 0.9rem; }
.notes { padding-left: 1.1rem; color: var(--soft); font-size: 0.9375rem; }
.pairs { display: grid; grid-template-columns: max-content 1fr; gap: 0.35rem 1.5rem; margin-top: 0.75rem; font-size: 0.9375rem; }
.pairs > div { display: contents; }
.pairs dt { color: var(--muted); }
.numbers { grid-template-columns: minmax(0, max-content) max-content; margin-top: 0; }
.numbers dd { max-width: 14rem; }
.pairs dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.title-page { display: none; }
.method h4 { margin-top: 1.25rem; }
.method .prose { max-width: 46rem; font-size: 0.9375rem; }
.method .prose > * + * { margin-top: 0.6rem; }
.method code { overflow-wrap: anywhere; white-space: normal; }
.method pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.method .prose ol, .method .prose ul { padding-left: 1.3rem; display: grid; gap: 0.35rem; }
.method .references { font-size: 0.875rem; color: var(--soft); padding-left: 1.3rem; display: grid; gap: 0.3rem; }
footer { margin-top: 4rem; padding-top: 1.25rem; border-top: 1px solid var(--line); color: var(--muted); font-size: 0.875rem; }

svg text { font-family: inherit; }
.f-ink { fill: var(--ink); } .f-muted { fill: var(--muted); } .f-line { fill: var(--line); } .f-mark { fill: var(--red); } .f-plain { fill: var(--dot); } .f-inverse { fill: var(--on-heat); } .f-diagonal { fill: var(--sunk); }
.s-ink { stroke: var(--ink); } .s-muted { stroke: var(--muted); } .s-line { stroke: var(--line); } .s-mark { stroke: var(--red); } .s-plain { stroke: var(--dot); } .s-inverse { stroke: var(--on-heat); }
.f-tone { fill: var(--tone); }
${[0, 1, 2, 3, 4, 5, 6].map((i) => `.f-heat${i} { fill: var(--heat${i}); }`).join(' ')}
${[0, 1, 2, 3, 4, 5, 6, 7].map((i) => `.f-series${i} { fill: var(--s${i}); } .s-series${i} { stroke: var(--s${i}); } .swatch${i} { background: var(--s${i}); }`).join(' ')}

@media screen and (max-width: 46rem) {
  .page { padding: 0 1.1rem 3rem; }
  .verdict { padding: 1.4rem 1.25rem 1.5rem; }
  .answers { grid-template-columns: 1fr; gap: 1.6rem; }
  .figures { grid-template-columns: 1fr 1fr; }
  .figures dd { font-size: 1.25rem; }
  .figures div:last-child:nth-child(odd) { grid-column: 1 / -1; }
  .finding { padding: 1.2rem 1.2rem 1.1rem; }
  .facts { display: grid; grid-template-columns: 1fr 1fr; gap: 0.7rem 1.5rem; }
  .pairs:not(.numbers) { grid-template-columns: 1fr; gap: 0.1rem; }
  .pairs:not(.numbers) dd { margin-bottom: 0.6rem; }
  .records, .records tbody, .records tr, .records td, .records th { display: block; }
  .records thead { position: absolute; left: -999rem; }
  .records tr { border-bottom: 1px solid var(--line); padding: 0.8rem 0; }
  .records th[scope="row"], .records td { border: 0; padding: 0.15rem 0; text-align: left; }
  .records td.n { text-align: left; }
  .records td[data-label]::before { content: attr(data-label) " "; color: var(--muted); font-size: 0.8125rem; }
  .records td:empty { display: none; }
  .scroll tbody th[scope="row"] { min-width: 7.5rem; }
  .groups td:nth-child(2) { min-width: 6rem; }
  .bars > div { grid-template-columns: 1fr; gap: 0.2rem; }
  .pictures { gap: 1.1rem 0.9rem; }
  .pictures.few li, .pictures.four li, .pictures.several li { width: calc(50% - 0.5rem); }
  .pictures.many li { width: calc(33.33% - 0.65rem); }
}
${printStyle}
@media (prefers-contrast: more) { :root { --muted: var(--ink); --line: var(--ink); --strong-line: var(--ink); } }
`.trim()
