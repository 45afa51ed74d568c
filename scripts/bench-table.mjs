// The measurements of `npm run bench` as Markdown.
const number = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))
const range = ({ min, median, max }) => (min === max ? number(median) : `${number(median)} (${number(min)} to ${number(max)})`)
const count = (value) => value.toLocaleString('en-US')

function compared(title, { repeats, assay, peer, ratio }, name = 'cleanlab') {
  const line = (what, unit, key) => `| ${what} | ${range(assay[key])} ${unit} | ${range(peer[key])} ${unit} | ${range(ratio[key])} |`
  return [
    `### ${title}`,
    '',
    `Median of ${repeats} alternating pairs of processes (smallest to largest).`,
    '',
    `| | Assay | ${name} | Assay / ${name} |`,
    '|---|---|---|---|',
    line('wall time', 's', 'wallS'),
    line('CPU time', 's', 'cpuS'),
    line('peak resident memory', 'MiB', 'peakMiB'),
    '',
  ]
}

export function markdown(results) {
  const { machine, peers } = results
  const issues = results['find-issues']
  const check = results['label-check']
  const { memory, neighbours, snapshot, hash } = results
  const near = results['near-duplicates']
  const hidden = results['hidden-instruction']
  const text = results['text-triggers']
  return [
    `Node ${machine.node}, ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB; ${peers.join(', ')}.`,
    '',
    ...(issues
      ? [
          ...compared(`Label issues from ${count(issues.rows)} x ${issues.classes} predictions, \`.npy\` in, flags on disk`, issues),
          `The call alone, arrays in memory: Assay ${range(issues.library.assay)} s, cleanlab ${range(issues.library.peer)} s.`,
          `With HTML, SARIF and Markdown reports: ${range(issues.allReports.wallS)} s, ${range(issues.allReports.peakMiB)} MiB.`,
          '',
        ]
      : []),
    ...(check ? compared(`Label check of ${count(check.rows)} x ${check.dims} features, no model given (cleanlab: Datalab)`, check) : []),
    ...(memory
      ? [
          `### Parquet with a column of ${memory.dims} numbers, audited without a model`,
          '',
          '| rows | file | wall time | CPU time | peak resident memory |',
          '|---|---|---|---|---|',
          ...memory.sizes.map(
            ({ rows, fileMiB, wallS, cpuS, peakMiB }) =>
              `| ${count(rows)} | ${number(fileMiB)} MiB | ${range(wallS)} s | ${range(cpuS)} s | ${range(peakMiB)} MiB |`,
          ),
          '',
          `${number(memory.rowFactor)} times the rows cost ${number(memory.timeFactor)} times the time.`,
          '',
        ]
      : []),
    ...(neighbours
      ? neighbours.kinds.flatMap((kind) => [
          ...compared(
            `${neighbours.k} exact nearest neighbours of ${count(neighbours.rows)} x ${neighbours.dims} in itself: ${kind.data}`,
            kind,
            'scikit-learn',
          ),
          `Largest relative difference of a distance: ${kind.worst.toExponential(1)}.`,
          '',
        ])
      : []),
    ...(snapshot
      ? [
          '### Snapshot of a CSV file with ids and labels, one core',
          '',
          '| records | file | wall time | records/s | peak resident memory | sha256sum of the file |',
          '|---|---|---|---|---|---|',
          ...snapshot.sizes.map(
            ({ rows, fileMiB, wallS, perSecond, peakMiB, sha256sumS }) =>
              `| ${count(rows)} | ${number(fileMiB)} MiB | ${range(wallS)} s | ${count(Math.round(perSecond))} | ${range(peakMiB)} MiB | ${number(sha256sumS)} s |`,
          ),
          '',
        ]
      : []),
    ...(hash
      ? [
          `### Verifying ${count(hash.MiB)} MiB in eight files against SHA256SUMS, one core, from the page cache`,
          '',
          '| | MiB a second of the processor |',
          '|---|---|',
          `| assay verify, the whole process | ${range(hash.rate)} |`,
          `| openssl speed -evp sha256, blocks of 1 MiB | ${range(hash.openssl)} |`,
          `| Assay / OpenSSL | ${range(hash.ratio)} |`,
          '',
          `Peak resident memory ${range(hash.peakMiB)} MiB.`,
          '',
        ]
      : []),
    ...(hidden
      ? [
          ...compared(`\`hidden-instruction\` over ${count(hidden.MB)} MB of texts as JSONL`, hidden, 'one page of Python'),
          `${range(hidden.rate)} MB/s; Python ${range(hidden.peerRate)} MB/s.`,
          '',
        ]
      : []),
    ...(text
      ? [
          '### `planted-document` and `trigger-text` together over texts as JSONL, all reads',
          '',
          '| texts | wall time | MB/s | CPU time | peak resident memory |',
          '|---|---|---|---|---|',
          ...text.sizes.map(
            ({ MB, wallS, rate, cpuS, peakMiB }) =>
              `| ${count(MB)} MB | ${range(wallS)} s | ${range(rate)} | ${range(cpuS)} s | ${range(peakMiB)} MiB |`,
          ),
          '',
          `${number(text.sizeFactor)} times the text cost ${number(text.timeFactor)} times the time.`,
          '',
        ]
      : []),
    ...(near
      ? compared(`Near-duplicates among ${count(near.texts)} texts (${number(near.fileMiB)} MiB of JSONL)`, near, 'datasketch')
      : []),
  ].join('\n')
}
