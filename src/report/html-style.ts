/**
 * The colours of a page on a bright and on a dark screen; paper is bright. Text has a contrast of at least 4.5:1 with
 * what is behind it, bars of 3:1: test/report-html.test.ts computes it.
 */
export const COLOURS = {
  light: {
    ...{ text: '#1b1f24', page: '#ffffff', line: '#8c959f', code: '#eef1f4', bar: '#1f6fd0' },
    ...{ ok: '#1a6b33', warning: '#7d4e00', critical: '#b3141d', unknown: '#7a2da0', not_configured: '#57606a' },
  },
  dark: {
    ...{ text: '#e6edf3', page: '#0d1117', line: '#6e7681', code: '#21262d', bar: '#4c8dde' },
    ...{ ok: '#57c26f', warning: '#e3b341', critical: '#ff8a82', unknown: '#d2a8ff', not_configured: '#a0a8b2' },
  },
} as const

const variables = (colours: Readonly<Record<string, string>>): string =>
  Object.entries(colours)
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(' ')

/** Stands alone: no script, no font, no picture from anywhere else. */
export const STYLE = `
:root { color-scheme: light; ${variables(COLOURS.light)} }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; ${variables(COLOURS.dark)} } }
body { max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif;
  color: var(--text); background: var(--page); overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; line-height: 1.3; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.verdict { font-weight: 700; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; }
caption, figcaption { text-align: left; font-weight: 700; padding: .3rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem .25rem 0; text-align: left;
  vertical-align: top; font-weight: 400; overflow-wrap: break-word; word-break: keep-all; }
th[scope=row] { max-width: min(22rem, 42vw); }
@media (max-width: 30rem) { th[scope=row] { min-width: 5.25rem; } }
thead th { font-weight: 700; } .right { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { background: var(--code); padding: .1rem .35rem; }
.ok { color: var(--ok); } .warning { color: var(--warning); } .critical { color: var(--critical); }
.unknown { color: var(--unknown); } .not_configured { color: var(--not_configured); }
figure { margin: 1.5rem 0; break-inside: avoid; } figure p { margin: .3rem 0; } summary { cursor: pointer; }
figure caption { position: absolute; clip-path: inset(50%); }
svg { display: block; width: 100%; font-size: 12px; }
svg text { fill: var(--text); text-anchor: middle; font-variant-numeric: tabular-nums; } svg .start { text-anchor: start; }
svg .zero { fill: var(--not_configured); }
svg rect { fill: var(--bar); stroke: var(--page); } svg line { stroke: var(--line); }
svg .nothing { fill: none; stroke: var(--line); stroke-dasharray: 2 3; }
@media print { body { max-width: none; margin: 0; } .wide { overflow: visible; }
  details::details-content { content-visibility: visible; height: auto; } }
`
