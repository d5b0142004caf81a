const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const TENTH = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })

/** `6,012` */
export function wholeNumber(value: number): string {
  return WHOLE.format(value)
}

/** `0.9 ms`, `24 ms`, `3.9 s` */
export function duration(ms: number): string {
  if (Math.abs(ms) < 9.95) return `${TENTH.format(ms)} ms`
  return Math.abs(ms) < 1000 ? `${WHOLE.format(ms)} ms` : seconds(ms)
}

/** `3.9 s` */
export function seconds(ms: number): string {
  return `${TENTH.format(ms / 1000)} s`
}

/** `1.4 µs`, `24 µs`, `3.9 ms` */
export function shortDuration(us: number): string {
  if (us >= 1000) return duration(us / 1000)
  return `${(us < 9.95 ? TENTH : WHOLE).format(us)} µs`
}
