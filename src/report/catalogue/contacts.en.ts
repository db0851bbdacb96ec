import type { SameKeys } from '../words.ts'
import type { ko } from './contacts.ko.ts'

/** Whom to call, in English. */
export const en: SameKeys<typeof ko> = {
  service_down: 'Service down',
  slow: 'Slow',
  mass_rejections: 'Mass rejections',
  data_damage: 'Data damage',
  minutes: '{n} min',
  hours: '{n} h',
  contact: 'call {first}, to answer within {target}',
  contact_next: 'call {first}, to answer within {target}; then {next}',
  contact_broken: 'whom to call cannot be read: {problem}',

  title: 'Contacts: {file}',
  title_one: 'Contacts for "{situation}": {file}',
  complete: 'everybody can be called',
  no_phone: '{n} {n|role has|roles have} no telephone: {roles}',
  table: 'Whom to call',
  order: 'In this order, to answer within {target}',
  head_situation: 'Situation',
  head_target: 'Answers within',
  head_order: 'Order',
  head_role: 'Role',
  head_name: 'Name',
  head_phone: 'Telephone',
  head_channel: 'Channel',
  fix: '{cause}. vi {file}',
  broken: 'the contacts file is wrong ({n} {n|problem|problems} above). vi {file}',
  summary: 'Says whom to call. Needs no server and no database.',
  usage: 'Usage: npm run contacts -- who [SITUATION] [options]',
  situations: 'Situations: {situations}',
  exit_codes: 'Exit codes: 0 OK, 1 a telephone is missing, 64 usage, 78 bad contacts file',
  bad_verb: '{verb}: no such command. npm run contacts -- who',
  bad_situation: '{situation}: no such situation (allowed: {situations}). npm run contacts -- who',
  config_broken:
    'the settings file is wrong: this is what its good lines and the defaults say. npm run config -- compare',
}
