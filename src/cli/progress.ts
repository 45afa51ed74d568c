import type { SingleBar } from 'cli-progress'
import type { ProgressEvent } from '../engine/request.ts'
import { escapeTerminal } from '../report/escape.ts'
import { formatBytes, formatCount } from '../report/format.ts'
import type { Io } from './io.ts'
import type { ProgressMode } from './progress-modes.ts'

export interface Progress {
  update(event: ProgressEvent): void
  /** A line for the reader, above the bar. */
  note(line: string): void
  stop(): void
}

const plainEveryMs = 30_000
const barWidth = 24

export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
}

/** `120,000 of 1,000,000 rows (12 %), 40,000 rows/s, 22 s left` */
export function describe(event: ProgressEvent, elapsedMs: number): string {
  const amount = (n: number): string => (event.unit === 'bytes' ? formatBytes(n) : formatCount(n))
  const unit = event.unit === 'bytes' ? '' : ` ${event.unit}`
  const known = event.total !== null && event.total > 0
  const share = known ? ` of ${amount(event.total)}${unit} (${Math.min(100, Math.floor((100 * event.done) / event.total))} %)` : unit
  const perSecond = elapsedMs > 0 ? (event.done * 1000) / elapsedMs : 0
  const rate = perSecond >= 1 ? `, ${amount(Math.round(perSecond))}${unit}/s` : ''
  const left = known && perSecond > 0 && event.done < event.total ? `, ${formatDuration((event.total - event.done) / perSecond)} left` : ''
  return `${amount(event.done)}${share}${rate}${left}`
}

/** Where a phase does not know its total, it is that of a finished phase in the same unit: all read the same rows. */
function totals(): (event: ProgressEvent) => ProgressEvent {
  const finished = new Map<string, number>()
  return (event) => {
    if (event.total !== null) {
      if (event.done >= event.total && event.total > 0) finished.set(event.unit, event.total)
      return event
    }
    const total = finished.get(event.unit)
    return total === undefined || event.done > total ? event : { ...event, total }
  }
}

/** Bars on a terminal, one plain line every 30 s elsewhere, all on stderr. */
export async function openProgress(mode: ProgressMode, io: Io, now: () => number = Date.now): Promise<Progress> {
  const out = io.stderr
  const note = (line: string): void => {
    out.write(`${line}\n`)
  }
  if (mode === 'none') return { update: () => {}, note, stop: () => {} }
  const bars = mode === 'auto' && out.isTTY === true && io.env.TERM !== 'dumb'
  let phase: string | null = null
  let started = 0
  let latest: ProgressEvent | null = null
  const known = totals()
  const line = (): string => (latest ? `${escapeTerminal(latest.phase)}: ${describe(latest, now() - started)}` : '')

  if (!bars) {
    let printed = now()
    const tell = (): void => {
      if (!latest || now() - printed < plainEveryMs) return
      printed = now()
      note(line())
    }
    const timer = setInterval(tell, 1000)
    timer.unref()
    const update = (event: ProgressEvent): void => {
      if (event.phase !== phase) {
        phase = event.phase
        started = now()
      }
      latest = known(event)
      tell()
    }
    return { update, note, stop: () => clearInterval(timer) }
  }

  const { SingleBar: Bar } = (await import('cli-progress')).default
  let bar: SingleBar | null = null
  const format = (): string => {
    if (!latest) return ''
    const filled = latest.total ? Math.round(Math.min(1, latest.done / latest.total) * barWidth) : 0
    const text = `${latest.total === null ? '' : `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} `}${line()}`
    return text.slice(0, Math.max(20, (out.columns || 80) - 1))
  }
  const stop = (): void => {
    bar?.stop()
    bar = null
  }
  return {
    update(event) {
      if (event.phase !== phase) {
        stop()
        phase = event.phase
        started = now()
      }
      latest = known(event)
      if (!bar) {
        bar = new Bar({
          stream: out as NodeJS.WritableStream,
          format,
          fps: 10,
          hideCursor: false,
          forceRedraw: true,
          linewrap: null,
          gracefulExit: false,
        })
        bar.start(latest.total ?? 1, event.done)
      } else bar.update(event.done)
    },
    note(text) {
      if (bar) out.write('\r\u001b[2K')
      note(text)
    },
    stop,
  }
}
