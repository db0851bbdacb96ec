/** What the configuration says of the gate. */
export interface GateSettings {
  readonly APPROVAL_WORKFLOW_ENABLED: boolean
  /** A lease: the gate is off before this instant and on from it. */
  readonly APPROVAL_DISABLED_UNTIL: number | null
}

export type Gate =
  | { readonly on: true }
  | {
      readonly on: false
      /** The instant the gate re-arms by itself; null = until someone turns it on. */
      readonly until: number | null
      readonly cause: keyof GateSettings
    }

/** Whether calls are held at `now`. A pure function of time: a lease ends whether or not anybody is there to end it. */
export function gateAt(settings: GateSettings, now: number): Gate {
  if (!settings.APPROVAL_WORKFLOW_ENABLED) return { on: false, until: null, cause: 'APPROVAL_WORKFLOW_ENABLED' }
  const until = settings.APPROVAL_DISABLED_UNTIL
  return until !== null && now < until ? { on: false, until, cause: 'APPROVAL_DISABLED_UNTIL' } : { on: true }
}
