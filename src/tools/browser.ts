import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BrowserServer, Page } from 'playwright-core'
import { Refusal } from './limits.ts'
import { startWebProxy } from './web-proxy.ts'

export type Action =
  | { readonly action: 'goto'; readonly url: string }
  | { readonly action: 'click'; readonly selector: string }
  | { readonly action: 'fill'; readonly selector: string; readonly text: string }
  | { readonly action: 'text'; readonly selector: string }
  | { readonly action: 'screenshot' }

export interface BrowserSettings {
  /** The program. */
  readonly chromium: string
  /** Host names that may be visited although they are not on the public web. */
  readonly allowedHosts: readonly string[]
}

export interface Visit {
  /** Where it ended. */
  readonly url: string
  readonly title: string
  /** What each `text` read. */
  readonly texts: readonly string[]
  /** JPEG, base64 */
  readonly screenshots: readonly string[]
  readonly timed_out: boolean
  /** The action that failed, and why; null when all were done. */
  readonly failure: string | null
}

/** Most characters of one text. */
const MOST_TEXT = 64 * 1024
const ARGUMENTS = ['--force-webrtc-ip-handling-policy=disable_non_proxied_udp', '--disable-quic']

/**
 * Does the actions one after another on a page of a new browser, which is gone afterwards.
 * @param timeout s for all of it
 * @throws Refusal when there is no browser
 */
export async function automate(
  actions: readonly Action[],
  timeout: number,
  { chromium: executablePath, allowedHosts }: BrowserSettings,
  signal: AbortSignal,
): Promise<Visit> {
  if (!existsSync(executablePath)) {
    throw new Refusal(
      `there is no browser at ${executablePath}. Nothing was visited: apt-get install chromium, or name another with ` +
        'CHROMIUM_PATH in "env" of mcp.json',
    )
  }
  // Only who drives a browser pays for loading this.
  const { chromium } = await import('playwright-core')
  const deadline = performance.now() + timeout * 1000
  const left = () => Math.max(1, deadline - performance.now())
  const proxy = await startWebProxy(allowedHosts)
  const over = new AbortController()
  const ended = Promise.race([
    sleep(timeout * 1000, 'timeout' as const, { signal: over.signal }),
    new Promise<'abort'>((resolve) => signal.addEventListener('abort', () => resolve('abort'))),
  ])
  // An ended wait is not a failure.
  ended.catch(() => undefined)
  const launching = chromium.launchServer({
    ...{ executablePath, args: ARGUMENTS, proxy: { server: proxy.url }, timeout: left(), host: '127.0.0.1' },
    // Chromium's own sandbox does not work for root.
    chromiumSandbox: process.getuid?.() !== 0,
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: '/tmp', LANG: 'C.UTF-8' },
  })
  try {
    const page = await Promise.race([openPage(launching, left()), ended])
    signal.throwIfAborted()
    const done = { texts: [] as string[], screenshots: [] as string[] }
    const late = `the deadline of ${timeout} s passed`
    if (typeof page === 'string') {
      return { ...done, url: '', title: '', timed_out: true, failure: `starting the browser: ${late}` }
    }
    let failure: string | null = null
    let timed_out = false
    for (const [n, action] of actions.entries()) {
      const result = await Promise.race([perform(page, action, done).catch((error: Error) => error), ended])
      signal.throwIfAborted()
      timed_out = result === 'timeout' || (result instanceof Error && left() <= 1)
      if (timed_out || result instanceof Error) {
        failure = `action ${n + 1} (${action.action}): ${timed_out ? late : said(result as Error)}`
        break
      }
    }
    const away = proxy.refused().map((host) => `${host} is not on the public web`)
    if (failure !== null && away.length > 0) failure += `; ${away.join(', ')} (WEB_ALLOWED_HOSTS in "env" of mcp.json)`
    const title = await Promise.race([page.title().catch(() => ''), sleep(1000, '')])
    return { ...done, url: page.url(), title, timed_out, failure }
  } finally {
    over.abort()
    proxy.close()
    // One that starts too late is ended, too; nobody waits for one that will not go.
    const gone = launching.then((browser) => browser.kill()).catch(() => undefined)
    await Promise.race([gone, sleep(2000)])
  }
}

/** @param left ms */
async function openPage(launching: Promise<BrowserServer>, left: number): Promise<Page | 'timeout'> {
  try {
    const { chromium } = await import('playwright-core')
    const connection = await chromium.connect((await launching).wsEndpoint(), { timeout: left })
    const page = await connection.newPage({ acceptDownloads: false, viewport: { width: 1280, height: 800 } })
    page.setDefaultTimeout(left)
    return page
  } catch (error) {
    // Its patience is our deadline, and may end a moment before that is noticed.
    if ((error as Error).name === 'TimeoutError') return 'timeout'
    throw new Refusal(`the browser could not be started: ${(error as Error).message.slice(0, 1000)}`)
  }
}

async function perform(page: Page, action: Action, done: { texts: string[]; screenshots: string[] }): Promise<void> {
  switch (action.action) {
    case 'goto': {
      const response = await page.goto(action.url)
      if (response && response.status() >= 400) throw new Error(`the page answers ${response.status()}`)
      return
    }
    case 'click':
      return page.click(action.selector)
    case 'fill':
      return page.fill(action.selector, action.text)
    case 'text':
      done.texts.push((await page.innerText(action.selector)).slice(0, MOST_TEXT))
      return
    case 'screenshot':
      done.screenshots.push((await page.screenshot({ type: 'jpeg', quality: 70 })).toString('base64'))
  }
}

/** The first line: what follows is the library's log. */
const said = (error: Error): string => error.message.split('\n')[0]!.slice(0, 500)
