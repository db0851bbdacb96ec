import { z } from '@hono/zod-openapi'
import { ApprovalError } from '../approval/errors.ts'
import { assertMayReadReports } from '../approval/identity.ts'
import { type App, type HttpDeps, route } from './routes.ts'

/** The kept reports, as the routes need them. */
export interface ReportFiles {
  /** Weekly ones before daily ones, of each the newest first. None when nothing has been kept yet. */
  names(): Promise<readonly string[]>
  /** null when there is no kept report of exactly this name. */
  read(name: string): Promise<Uint8Array | null>
}

const TYPES: Readonly<Record<string, string>> = {
  md: 'text/markdown; charset=utf-8',
  html: 'text/html; charset=utf-8',
  json: 'application/json',
}

/** A report is a document: it runs nothing, asks nobody, and stands in nobody's frame. Its style is its own. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // They name people.
  'Cache-Control': 'no-store',
} as const

/** Reading what was kept. With a token in the Authorization header, as everywhere; a page that signs in is not here. */
export function mountReports(app: App, { reports, rules }: Pick<HttpDeps, 'reports' | 'rules'>): void {
  route(
    app,
    {
      method: 'get',
      path: '/reports',
      summary:
        'The kept reports, weekly and daily, newest first; a list of links for Accept: text/html. Takes the role approver',
      answers: {
        200: { description: 'Their names', schema: z.object({ reports: z.array(z.string()) }) },
      },
    },
    async (c) => {
      assertMayReadReports(c.get('actor'), rules())
      const names = await reports.names()
      if (!/\btext\/html\b/i.test(c.req.header('accept') ?? '')) return c.json({ reports: names }, 200, HEADERS)
      return c.html(indexPage(names), 200, HEADERS)
    },
  )

  route(
    app,
    {
      method: 'get',
      path: '/reports/{name}',
      summary: 'One kept report, byte by byte: .md, .html or .json. Takes the role approver',
      answers: { 200: { description: 'The report', schema: z.unknown(), type: 'text/html' } },
    },
    async (c) => {
      assertMayReadReports(c.get('actor'), rules())
      const name = c.req.param('name')!
      const bytes = await reports.read(name)
      if (bytes === null) throw new ApprovalError('not_found', 'no such report. GET /reports lists all')
      const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
      return new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { ...HEADERS, 'Content-Type': type } })
    },
  )
}

/** Names are made of digits, letters, dots and dashes alone: there is nothing to escape. */
function indexPage(names: readonly string[]): string {
  const items = names.map((name) => `<li><a href="/reports/${name}">${name}</a></li>`)
  return `<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>보관된 보고서 · Kept reports</title>
<style>:root { color-scheme: light dark; } body { font: 1rem/1.6 system-ui, sans-serif; margin: 1.5rem; }</style>
</head>
<body>
<h1>보관된 보고서 <span lang="en">Kept reports</span></h1>
${items.length === 0 ? '<p>아직 없습니다. <span lang="en">None yet.</span></p>' : `<ul>\n${items.join('\n')}\n</ul>`}
</body>
</html>
`
}
