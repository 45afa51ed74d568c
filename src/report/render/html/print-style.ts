/**
 * On paper the report is a document: a title page, a page for each part, page numbers, rows and short tables in one piece, heads of tables
 * on every page that they reach, nothing that only a screen needs, and everything that a screen folds away.
 */
export const printStyle = `
@page {
  size: A4; margin: 18mm 16mm 20mm;
  @bottom-left { content: "Assay data audit"; font: 8.5pt Inter, system-ui, sans-serif; color: #66625a; }
  @bottom-right { content: counter(page) " / " counter(pages); font: 8.5pt Inter, system-ui, sans-serif; color: #66625a; }
}
@page :first { margin: 24mm 20mm 20mm; @bottom-left { content: none; } @bottom-right { content: none; } }
@media print {
  :root { --paper: #fff; --surface: #fff; color-scheme: light; }
  body { font-size: 10pt; }
  .page { max-width: none; padding: 0; }
  .masthead, nav, .skip { display: none; }
  .title-page { display: flex; flex-direction: column; min-height: 250mm; break-after: page; }
  .title-page .maker { color: var(--muted); font-size: 0.9375rem; }
  .title-page .name { font-size: 2rem; font-weight: 650; line-height: 1.2; letter-spacing: -0.022em; margin-top: 22mm; overflow-wrap: anywhere; }
  .title-page .of { font-size: 1.15rem; color: var(--soft); margin-top: 0.5rem; overflow-wrap: anywhere; }
  .title-page .stamp { margin-top: 12mm; font-size: 1.05rem; }
  .title-page .says { font-size: 1.15rem; max-width: 34rem; margin-top: 0.5rem; }
  .title-page .pairs { margin-top: 12mm; }
  .title-page code { overflow-wrap: anywhere; }
  .title-page .signing { margin-top: auto; display: grid; grid-template-columns: 1fr 1fr; gap: 10mm 12mm; font-size: 0.875rem; color: var(--muted); }
  .title-page .signing div { border-top: 1px solid var(--ink); padding-top: 0.35rem; }
  .verdict, .finding { padding: 1.1rem 1.3rem; }
  .answers { gap: 1.5rem; }
  section.part { margin-top: 0; break-before: page; }
  #blind, #method { break-before: auto; margin-top: 2rem; }
  figure.wide:has(.pictures, .passages) { break-inside: auto; }
  h1, h2, h3, h4, figcaption, caption, thead, .lead, h3 + p { break-after: avoid; break-inside: avoid; }
  thead { display: table-header-group; }
  figure, tr, .hazard, .blind li, .action, .fine, .facts, .pictures li, .passages li, .bars > div { break-inside: avoid; }
  table:not(:has(tr:nth-child(13))) { break-inside: avoid; }
  p, li { orphans: 3; widows: 3; }
  .verdict, .finding { box-decoration-break: clone; -webkit-box-decoration-break: clone; }
  .scroll { overflow: visible; }
  .scroll th:not(.n), .scroll td:not(.n), .records th:not(.n), .records td:not(.n) { min-width: 5.25rem; }
  th, td, th code, td code { white-space: normal; overflow-wrap: anywhere; }
  th.n, td.n { overflow-wrap: normal; }
  thead th { overflow-wrap: normal; }
  .records .n { width: auto; }
  .digest .rest { display: inline; }
  .digest::after { content: none; }
  details > summary { display: none; }
  details::details-content { display: block; content-visibility: visible; block-size: auto; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`.trim()
